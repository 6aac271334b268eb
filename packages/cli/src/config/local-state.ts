import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CliError } from '../errors/cli-error.ts'

/** What `dev` leaves for the other commands while it runs. */
export interface LocalState {
  readonly pid: number
  readonly env: Readonly<Record<string, string>>
}

const stateFile = (folder: string) => path.join(folder, '.shardwright', 'local.json')

/** For applications: `node --env-file=.shardwright/local.env src/main.ts`. */
export const envFile = (folder: string) => path.join(folder, '.shardwright', 'local.env')

export async function writeLocalState(folder: string, state: LocalState): Promise<void> {
  await mkdir(path.dirname(stateFile(folder)), { recursive: true })
  await writeFile(stateFile(folder), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  const lines = Object.entries(state.env).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(envFile(folder), lines.join(''), { mode: 0o600 })
}

/** One cluster a folder: a second `dev` would take the files of the first. @throws CliError LOCAL_CLUSTER_RUNNING */
export async function assertNoLocalState(folder: string): Promise<void> {
  const state = await readLocalState(folder)
  if (!state) return
  throw new CliError({
    code: 'LOCAL_CLUSTER_RUNNING',
    message: `A local cluster of this folder runs already, in process ${state.pid}.`,
    hint: 'Use it with --local, or end it with Ctrl-C first.',
    details: { pid: state.pid },
  })
}

export async function removeLocalState(folder: string): Promise<void> {
  await rm(stateFile(folder), { force: true })
  await rm(envFile(folder), { force: true })
}

/** Puts the URLs of the running `dev` cluster into the environment. @throws CliError LOCAL_CLUSTER_NOT_RUNNING */
export async function useLocalState(folder: string): Promise<void> {
  const state = await readLocalState(folder)
  if (!state) {
    throw new CliError({
      code: 'LOCAL_CLUSTER_NOT_RUNNING',
      message: 'No local cluster of this folder runs.',
      hint: 'Start `shardwright dev` in another terminal.',
    })
  }
  Object.assign(process.env, state.env)
}

/** Undefined when none runs; a crash may have left the file. */
async function readLocalState(folder: string): Promise<LocalState | undefined> {
  const file = stateFile(folder)
  const state = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as LocalState) : undefined
  return state && isAlive(state.pid) ? state : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
