import { type ProgramSearch, searchProgram } from '../programs/find-program.ts'
import { type FoundProgram, findOnMachine } from '../programs/machine-programs.ts'

const programs = ['redis-server', 'valkey-server'] as const

/** redis-server or valkey-server of this machine. */
export async function findInstalledRedis(): Promise<FoundProgram | undefined> {
  for (const name of programs) {
    const program = await findOnMachine(name)
    if (program !== undefined) return program
  }
  return undefined
}

/** redis-server or valkey-server out of the distribution's packages. */
export async function obtainRedis(): Promise<ProgramSearch> {
  const reasons: string[] = []
  for (const name of programs) {
    const search = await searchProgram(name)
    if (search.available) return search
    reasons.push(`${name}: ${search.reason}`)
  }
  return { available: false, reason: reasons.join('; ') }
}
