import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { LocalClusterError } from '../errors/local-cluster-error.ts'

export interface FoundProgram {
  readonly path: string
  /** Variables that it needs, such as where its libraries are. */
  readonly environment: Readonly<Record<string, string>>
}

// Where distributions keep servers, which the PATH of an ordinary user may leave out.
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/opt/homebrew/bin']

/**
 * A program on this machine; `undefined` when it is not there. SHARDWRIGHT_PGBOUNCER, SHARDWRIGHT_HAPROXY,
 * SHARDWRIGHT_REDIS_SERVER and the like name another one by its path.
 * @throws LocalClusterError PROGRAM_UNAVAILABLE when such a path is no program
 */
export async function findOnMachine(name: string): Promise<FoundProgram | undefined> {
  const variable = `SHARDWRIGHT_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
  const chosen = process.env[variable]
  if (chosen !== undefined && chosen !== '') return await chosenProgram(variable, chosen)
  for (const folder of new Set([...(process.env.PATH ?? '').split(delimiter), ...systemFolders])) {
    if (folder === '') continue
    const path = join(folder, name)
    try {
      await access(path, constants.X_OK)
      return { path, environment: {} }
    } catch {
      // not in this folder
    }
  }
  return undefined
}

async function chosenProgram(variable: string, path: string): Promise<FoundProgram> {
  try {
    await access(path, constants.X_OK)
    return { path, environment: {} }
  } catch (cause) {
    throw new LocalClusterError('PROGRAM_UNAVAILABLE', `${variable} names no program: ${path}`, { cause })
  }
}
