import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export interface FoundProgram {
  readonly path: string
  /** Variables that it needs, such as where its libraries are. */
  readonly environment: Readonly<Record<string, string>>
}

// Where distributions keep servers, which the PATH of an ordinary user may leave out.
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/opt/homebrew/bin']

/** A program on this machine; `undefined` when it is not there. */
export async function findOnMachine(name: string): Promise<FoundProgram | undefined> {
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
