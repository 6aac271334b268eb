import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { redisAvailability } from '../src/index.ts'
import { processIdentity } from '../src/process/process-identity.ts'
import { eventually } from './support/eventually.ts'

const redis = await redisAvailability()

interface Owned {
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
    const startedAt = Math.floor(Date.now() / 1000)
    const folder = mkdtempSync(join(tmpdir(), 'shardwright-nothing-left-'))
    chmodSync(folder, 0o711)
    const { owner, owned } = await startOwner(ending, folder)
    const identities = owned.pids.map((pid) => ({ pid, identity: processIdentity(pid) }))
    if (signal !== undefined) {
      // Two servers, two replicas and the watchdog, with the backends of the servers.
      expect(identities.filter(({ identity }) => identity !== undefined).length).toBeGreaterThan(10)
      expect(readdirSync(folder)).toHaveLength(1)
      // As a terminal does: to the whole group.
      process.kill(signal === 'SIGINT' ? -(owner.pid ?? 0) : (owner.pid ?? 0), signal)
    }
    await ended(owner)
    expect(owned.redis).toBe(redis.available)
    await eventually('every process is gone', () =>
      identities.every(({ pid, identity }) => identity === undefined || processIdentity(pid) !== identity),
    )
    await eventually('the folder is gone', () => readdirSync(folder).length === 0)
    expect(sharedMemoryMadeBy(owned.pids, startedAt)).toEqual([])
    rmdirSync(folder)
  })
})

/**
 * The System V segments that one of these processes has made: the creator is in the 5th column, when it last changed in the
 * 14th. An older one is of a process that had the same number before.
 */
function sharedMemoryMadeBy(pids: readonly number[], since: number): string[] {
  const table = '/proc/sysvipc/shm'
  if (!existsSync(table)) return []
  const lines = readFileSync(table, 'utf8').trim().split('\n').slice(1)
  return lines.filter((line) => {
    const columns = line.trim().split(/\s+/).map(Number)
    return pids.includes(columns[4] ?? 0) && (columns[13] ?? 0) >= since
  })
}

async function startOwner(ending: string, folder: string): Promise<{ owner: ChildProcess; owned: Owned }> {
  const program = fileURLToPath(new URL('./support/owner.ts', import.meta.url))
  const parameters = ['--conditions=shardwright-source', program, ending, redis.available ? 'redis' : 'no-redis']
  const owner = spawn(process.execPath, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, TMPDIR: folder },
  })
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
