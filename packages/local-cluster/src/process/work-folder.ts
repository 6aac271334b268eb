import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ProcessUser } from './unprivileged-user.ts'
import { unwatchFolder, watchFolder } from './watchdog-client.ts'

/** A new folder that `user` may enter; it goes with `removeWorkFolder`, at the latest when this process is gone. */
export async function createWorkFolder(user: ProcessUser): Promise<string> {
  const parent = await firstReachable([tmpdir(), '/tmp', '/var/tmp'], user)
  const folder = await mkdtemp(join(parent, 'shardwright-cluster-'))
  watchFolder(folder)
  await chmod(folder, 0o711)
  return folder
}

export async function removeWorkFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  unwatchFolder(folder)
}

/** Whether `user` can pass through every folder down to `path`; always so for whoever runs this process. */
export async function isReachable(path: string, user: ProcessUser): Promise<boolean> {
  if (user.uid === undefined) return true
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid } = await stat(folder)
    const searchBit = uid === user.uid ? 0o100 : 0o001
    if ((mode & searchBit) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

async function firstReachable(folders: readonly string[], user: ProcessUser): Promise<string> {
  for (const folder of folders) {
    if (await isReachable(folder, user).catch(() => false)) return folder
  }
  return tmpdir()
}
