import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { obtainFromPackages } from './distribution-packages.ts'
import { type FoundProgram, findOnMachine } from './machine-programs.ts'

export type ProgramSearch =
  | { readonly available: true; readonly program: FoundProgram }
  | { readonly available: false; readonly reason: string }

// Each program is looked for once in the life of this process.
const obtained = new Map<string, Promise<ProgramSearch>>()

/**
 * A server program: `redis-server`, `valkey-server`, `pgbouncer`, `haproxy`. On the machine, else out of the
 * distribution's packages, else `undefined`.
 *
 * @example
 * const available = (await findProgram('pgbouncer')) !== undefined
 * describe.skipIf(!available)('through PgBouncer', () => { ... })
 */
export async function findProgram(name: string): Promise<FoundProgram | undefined> {
  const search = await searchProgram(name)
  return search.available ? search.program : undefined
}

/** As `findProgram`, with the reason when there is none. */
export async function searchProgram(name: string): Promise<ProgramSearch> {
  const program = await findOnMachine(name)
  if (program !== undefined) return { available: true, program }
  let search = obtained.get(name)
  if (search === undefined) {
    search = obtainFromPackages(name).then(
      (found): ProgramSearch => ({ available: true, program: found }),
      (error: unknown): ProgramSearch => ({ available: false, reason: messageOf(error) }),
    )
    obtained.set(name, search)
  }
  return await search
}

/** As `findProgram`. @throws LocalClusterError PROGRAM_UNAVAILABLE */
export async function requireProgram(name: string): Promise<FoundProgram> {
  const search = await searchProgram(name)
  if (search.available) return search.program
  throw new LocalClusterError('PROGRAM_UNAVAILABLE', `${name} is not on this machine; ${search.reason}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
