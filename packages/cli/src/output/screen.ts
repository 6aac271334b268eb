/** Where a command writes. `width` is 80 when nobody looks. */
export interface Screen {
  readonly width: number
  /** Someone can be asked and sees progress drawn in place. */
  readonly interactive: boolean
  /** Results. */
  line(text: string): void
  /** Progress and warnings; never mixed into results. */
  note(text: string): void
}

/** The terminal of this process, or plain lines when there is none. */
export function processScreen(): Screen {
  const interactive = process.stdout.isTTY === true && process.stdin.isTTY === true && !process.env.CI
  return {
    width: process.stdout.isTTY ? Math.max(60, process.stdout.columns || 80) : 80,
    interactive,
    line: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
  }
}
