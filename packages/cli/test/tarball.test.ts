import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const root = new URL('../../../', import.meta.url).pathname

/** The command's package with all of ours that it needs, and theirs. */
async function needed(name: string, known = new Set<string>()): Promise<ReadonlySet<string>> {
  if (known.has(name)) return known
  known.add(name)
  const manifest = await readFile(path.join(root, 'packages', name, 'package.json'), 'utf8')
  const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: Record<string, string> }
  for (const dependency of Object.keys(dependencies)) {
    if (dependency.startsWith('@shardwright/')) await needed(dependency.replace('@shardwright/', ''), known)
  }
  return known
}

// Needs `npm run build` and the registry, and takes a minute: CI asks for it by name, SHARDWRIGHT_TARBALL=1.
it.runIf(process.env.SHARDWRIGHT_TARBALL)(
  'a new user: an empty folder, the packed tarballs, init, test, dev',
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'shardwright-tarball-'))
    const tarballs = await mkdtemp(path.join(tmpdir(), 'shardwright-packed-'))
    const npm = (cwd: string, ...args: string[]) => run('npm', args, { cwd, maxBuffer: 64e6 })
    try {
      const workspaces = [...(await needed('cli'))].flatMap((name) => ['--workspace', `packages/${name}`])
      await npm(root, 'pack', '--ignore-scripts', '--pack-destination', tarballs, ...workspaces)
      const files = (await readdir(tarballs)).map((file) => path.join(tarballs, file))
      await npm(folder, 'install', '--no-audit', '--no-fund', ...files)
      await npm(folder, 'exec', '--', 'shardwright', 'init', '--yes')
      await npm(folder, 'install', '--no-audit', '--no-fund')
      expect((await npm(folder, 'test')).stdout).toContain('pass 1')
      await npm(folder, 'run', 'types')
      const dev = spawn(process.execPath, [path.join(folder, 'node_modules/.bin/shardwright'), 'dev'], {
        cwd: folder,
        stdio: 'inherit',
      })
      const env = path.join(folder, '.shardwright', 'local.env')
      while (!existsSync(env)) {
        expect(dev.exitCode).toBeNull()
        await sleep(200)
      }
      expect(await readFile(env, 'utf8')).toContain('SHARD_1_URL=')
      const main = await run(process.execPath, [`--env-file=${env}`, 'src/main.ts'], { cwd: folder })
      expect(main.stdout).toBe('There are 20 tasks on 2 shards.\n')
      dev.kill('SIGINT')
      await new Promise((resolve) => dev.once('exit', resolve))
    } finally {
      await rm(folder, { recursive: true, force: true })
      await rm(tarballs, { recursive: true, force: true })
    }
  },
  600_000,
)
