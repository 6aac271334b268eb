import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { grafanaDashboard, prometheusRules } from '@shardwright/monitor'
import type { Command } from '../../run/command.ts'

/** Alert rules and dashboard; reads no configuration and asks no server. */
export const monitorRules: Command<{ readonly out?: string }> = async (_, { out }) => {
  const rules = prometheusRules()
  const dashboard = grafanaDashboard()
  const files = out === undefined ? [] : await write(path.resolve(out), rules, dashboard)
  return {
    data: { rules, dashboard, files },
    render: () => (out === undefined ? rules.trimEnd() : files.map((file) => `wrote ${file}`).join('\n')),
  }
}

/** Files of the same names are generated ones: they are replaced. */
async function write(folder: string, rules: string, dashboard: object): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  const files = ['shardwright.rules.yml', 'shardwright.dashboard.json'].map((name) => path.join(folder, name))
  const [rulesFile, dashboardFile] = files as [string, string]
  await writeFile(rulesFile, rules)
  await writeFile(dashboardFile, `${JSON.stringify(dashboard, null, 2)}\n`)
  return files
}
