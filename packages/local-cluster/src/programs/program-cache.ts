import { randomUUID } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '../process/process-identity.ts'

const pollMs = 100
const lockTimeoutMs = 240_000

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
    if (await isDead(lock)) await remove(lock)
    else if (performance.now() > deadline) throw new Error(`another process held ${lock} for ${lockTimeoutMs} ms`)
    else await sleep(pollMs)
  }
  try {
    return await work()
  } finally {
    await remove(lock)
  }
}

/** A lock is a folder that names its owner. It comes and goes by renaming, so that nobody sees it without the name. */
async function take(lock: string): Promise<boolean> {
  const prepared = await mkdtemp(`${lock}-`)
  try {
    await writeFile(join(prepared, 'owner'), `${process.pid} ${processIdentity(process.pid)}`)
    await rename(prepared, lock)
    return true
  } catch (error) {
    await rm(prepared, { recursive: true, force: true })
    if (isTaken(error)) return false
    throw error
  }
}

async function remove(lock: string): Promise<void> {
  const moved = `${lock}-${randomUUID()}`
  await rename(lock, moved).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error // another process has taken over the same dead lock
  })
  await rm(moved, { recursive: true, force: true })
}

async function isDead(lock: string): Promise<boolean> {
  try {
    const [pid = '', ...identity] = (await readFile(join(lock, 'owner'), 'utf8')).split(' ')
    return processIdentity(Number(pid)) !== identity.join(' ')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false // given back meanwhile
    throw error
  }
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')
}
