import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { redisAvailability } from '../src/index.ts'
import { processIdentity } from '../src/process/process-identity.ts'
import { eventually } from './support/eventually.ts'

const redis = await redisAvailability()

interface Owned {
  readonly folders: string[]
  readonly pids: number[]
  readonly redis: boolean
}

describe('nothing is left behind by an owner that', () => {
  it.each<[string, string, NodeJS.Signals | undefined]>([
    ['stops its cluster', 'stopped', undefined],
    ['just returns', 'returned', undefined],
    ['calls process.exit', 'exited', undefined],
    ['dies of an exception', 'thrown', undefined],
    ['gets Ctrl-C', 'waiting', 'SIGINT'],
    ['gets SIGTERM', 'waiting', 'SIGTERM'],
    ['is killed', 'waiting', 'SIGKILL'],
    ['is killed while a server is paused', 'killed-paused', 'SIGKILL'],
  ])('%s', async (_, ending, signal) => {
    const { owner, owned } = await startOwner(ending)
    const identities = owned.pids.map((pid) => ({ pid, identity: processIdentity(pid) }))
    if (signal !== undefined) {
      // Two servers, two replicas and the watchdog, with the backends of the servers.
      expect(identities.filter(({ identity }) => identity !== undefined).length).toBeGreaterThan(10)
      expect(owned.folders.every((name) => existsSync(join(tmpdir(), name)))).toBe(true)
      // As a terminal does: to the whole group.
      process.kill(signal === 'SIGINT' ? -(owner.pid ?? 0) : (owner.pid ?? 0), signal)
    }
    await ended(owner)
    expect(owned.folders).toHaveLength(1)
    expect(owned.redis).toBe(redis.available)
    await eventually('every process is gone', () =>
      identities.every(({ pid, identity }) => identity === undefined || processIdentity(pid) !== identity),
    )
    await eventually('the folder is gone', () => !owned.folders.some((name) => existsSync(join(tmpdir(), name))))
  })
})

async function startOwner(ending: string): Promise<{ owner: ChildProcess; owned: Owned }> {
  const program = fileURLToPath(new URL('./support/owner.ts', import.meta.url))
  const parameters = ['--conditions=shardwright-source', program, ending, redis.available ? 'redis' : 'no-redis']
  const owner = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let errors = ''
  owner.stderr?.on('data', (chunk) => (errors += chunk))
  const line = await new Promise<string>((resolve, reject) => {
    owner.stdout?.once('data', (chunk) => resolve(String(chunk)))
    owner.once('exit', () => reject(new Error(`the owner ended before it had a cluster: ${errors}`)))
  })
  return { owner, owned: JSON.parse(line) as Owned }
}

function ended(owner: ChildProcess): Promise<void> {
  if (owner.exitCode !== null || owner.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => owner.once('exit', () => resolve()))
}
