import { chown, mkdir, writeFile } from 'node:fs/promises'
import type { ProcessUser } from './unprivileged-user.ts'

/** Makes a folder that only the servers' user may read, as PostgreSQL demands of its data directory. */
export async function makeOwnedFolder(path: string, user: ProcessUser): Promise<void> {
  await mkdir(path, { mode: 0o700 })
  await giveTo(path, user)
}

/** Writes a file that only the servers' user may read. */
export async function writeOwnedFile(path: string, content: string, user: ProcessUser): Promise<void> {
  await writeFile(path, content, { mode: 0o600 })
  await giveTo(path, user)
}

export async function giveTo(path: string, user: ProcessUser): Promise<void> {
  if (user.uid !== undefined) await chown(path, user.uid, user.gid ?? user.uid)
}
