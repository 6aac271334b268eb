import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Screen } from '../../src/output/screen.ts'
import { runProgram } from '../../src/run-program.ts'

const root = new URL('../../../../', import.meta.url).pathname
const main = new URL('../../src/main.ts', import.meta.url).pathname

/** What a command printed and how it ended. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A folder outside the workspace that finds its packages, as an application would. */
export class AppFolder {
  readonly path: string

  private constructor(folder: string) {
    this.path = folder
  }

  static async make(): Promise<AppFolder> {
    const folder = await mkdtemp(path.join(tmpdir(), 'shardwright-cli-'))
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
    return new AppFolder(folder)
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return this.node([main, ...args], env)
  }

  node(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const inherited = { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', TMPDIR: process.env.TMPDIR }
    return spawn(
      process.execPath,
      ['--conditions=shardwright-source', '--disable-warning=ExperimentalWarning', ...args],
      {
        cwd: this.path,
        env: { ...inherited, ...env } as NodeJS.ProcessEnv,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
  }

  /** The same as a line for a shell in a terminal. */
  lineOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
    const variables = Object.entries(env).map(([name, value]) => `${name}='${value}'`)
    const node = [process.execPath, '--conditions=shardwright-source', '--disable-warning=ExperimentalWarning', main]
    return ['env -u CI', ...variables, ...node, ...args].join(' ')
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    return await collect(this.start(args, env))
  }

  /** The same in this process, which is quicker; one at a time. */
  async call(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const lines = { out: '', err: '' }
    const screen: Screen = {
      width: 80,
      interactive: false,
      line: (text) => {
        lines.out += `${text}\n`
      },
      note: (text) => {
        lines.err += `${text}\n`
      },
    }
    const [folder, variables] = [process.cwd(), { ...process.env }]
    process.chdir(this.path)
    Object.assign(process.env, env)
    try {
      return { code: await runProgram(args, screen), ...lines }
    } finally {
      process.chdir(folder)
      for (const name of Object.keys(env)) delete process.env[name]
      Object.assign(process.env, variables)
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

export async function collect(child: ChildProcess): Promise<Ran> {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

/** Takes out what differs between two runs. */
export function normalise(text: string): string {
  return text
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/ +\d+(\.\d+)? (ms|s)\b/g, ' TIME')
    .replace(/ +time\b/g, ' time')
    .replace(/\b\d+(\.\d+)? (kB|MB)\b/g, 'SIZE')
    .replace(/\b18\.\d+\b/g, '18.x')
    .trimEnd()
}
