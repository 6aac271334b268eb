import { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { giveTo, makeOwnedFolder, writeOwnedFile } from '../process/owned-file.ts'
import type { ProcessUser } from '../process/unprivileged-user.ts'
import { withClient } from './with-client.ts'

export interface BaseBackupInit {
  /** The primary's maintenance database. */
  readonly adminUrl: string
  readonly source: string
  readonly target: string
  readonly user: ProcessUser
}

// As pg_basebackup leaves them out: the folders stay, empty, or the file belongs to the running server alone.
const emptied = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
])
const leftOut = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'pg_internal.init',
  'backup_label',
  'tablespace_map',
  'standby.signal',
])

const largeFileBytes = 64 * 1024 * 1024

/**
 * Copies the data directory of a running server by PostgreSQL's low-level backup interface. The WAL that makes the copy
 * consistent must come by streaming: keep it with a replication slot that reserves at once.
 */
export async function baseBackup({ adminUrl, source, target, user }: BaseBackupInit): Promise<void> {
  await withClient(adminUrl, async (client) => {
    await client.query(`SELECT pg_backup_start('shardwright', fast => true)`)
    await copyFolder(source, target, user)
    const { rows } = await client.query<{ labelfile: string }>(
      'SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)',
    )
    await writeOwnedFile(join(target, 'backup_label'), rows[0]?.labelfile ?? '', user)
  })
}

async function copyFolder(source: string, target: string, user: ProcessUser): Promise<void> {
  await makeOwnedFolder(target, user)
  const entries = await readdir(source, { withFileTypes: true })
  for (const entry of entries) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (leftOut.has(entry.name) || entry.name.startsWith('pgsql_tmp')) continue
    if (!entry.isDirectory()) await copyLiveFile(from, to, user)
    else if (emptied.has(entry.name)) await makeOwnedFolder(to, user)
    else await copyFolder(from, to, user)
  }
}

async function copyLiveFile(from: string, to: string, user: ProcessUser): Promise<void> {
  try {
    // Not copyFile for the many small files: it has the disk place each at once, which makes removing a copy a hundred
    // times slower on a file system that is mounted with `discard`.
    const { size } = await stat(from)
    if (size > largeFileBytes) await copyFile(from, to)
    else await writeFile(to, await readFile(from), { mode: 0o600 })
    await giveTo(to, user)
  } catch (error) {
    // Files come and go while the server works; replaying the WAL puts that right.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
