import { execFile } from 'node:child_process'

export interface RunProgramOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** Runs a short-lived program and returns what it printed; fails with the end of its error output. */
export function runProgram(
  program: string,
  parameters: readonly string[],
  { cwd, environment, timeoutMs = 120_000 }: RunProgramOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C', ...environment }
    const options = { cwd, env, timeout: timeoutMs, maxBuffer: 32 * 1024 * 1024 }
    const child = execFile(program, [...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${parameters[0]}: ${lastLine(stderr) ?? error.message}`, { cause: error }))
    })
    child.stdin?.end() // whatever asks a question gets no answer
  })
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1) || undefined
}
