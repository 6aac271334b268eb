import { accessSync, constants, readFileSync } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '../process/process-identity.ts'

const pollMs = 100
const lockTimeoutMs = 240_000
// Between making the lock and writing its owner into it.
const unownedLockMs = 5_000

/** Where obtained programs are kept: SHARDWRIGHT_CACHE_DIR, else node_modules/.cache, else ~/.cache. */
export function programCacheFolder(): string {
  return join(cacheFolder(), 'shardwright', 'programs')
}

function cacheFolder(): string {
  const chosen = process.env.SHARDWRIGHT_CACHE_DIR
  if (chosen !== undefined && chosen !== '') return chosen
  const [root, found] = createRequire(import.meta.url)
    .resolve('pg')
    .split(`${sep}node_modules${sep}`)
  const modules = join(root ?? '', 'node_modules')
  if (found !== undefined && isWritable(modules)) return join(modules, '.cache')
  return join(homedir(), '.cache')
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Runs `work` while no other process holds the lock of this path. A lock of a dead process is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`
  await mkdir(dirname(lock), { recursive: true })
  const deadline = performance.now() + lockTimeoutMs
  while (!(await take(lock))) {
    if (await isStale(lock)) await rm(lock, { recursive: true, force: true })
    else if (performance.now() > deadline) throw new Error(`another process held ${lock} for ${lockTimeoutMs} ms`)
    else await sleep(pollMs)
  }
  try {
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await mkdir(lock)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  await writeFile(join(lock, 'owner'), `${process.pid} ${processIdentity(process.pid)}`)
  return true
}

async function isStale(lock: string): Promise<boolean> {
  try {
    const [pid = '', ...identity] = readFileSync(join(lock, 'owner'), 'utf8').split(' ')
    return processIdentity(Number(pid)) !== identity.join(' ')
  } catch {
    const made = await stat(lock).catch(() => undefined) // released meanwhile
    return made !== undefined && Date.now() - made.mtimeMs > unownedLockMs
  }
}
