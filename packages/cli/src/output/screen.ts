import { LiveArea } from './live-area.ts'
import { LiveScreen, processTerminal } from './live-screen.ts'

/** Where a command writes. Without a terminal `width` has no end: a line stays a line, and nothing is shortened. */
export interface Screen {
  readonly width: number
  /** Someone can be asked. */
  readonly interactive: boolean
  /** Results. */
  line(text: string): void
  /** Progress and warnings; never mixed into results. */
  note(text: string): void
  /** Lines that are drawn over by the next call; undefined where that cannot be done, and progress is plain notes. */
  readonly draw?: ((lines: readonly string[]) => void) | undefined
  /** Takes the whole terminal until it is closed; undefined where that cannot be done. */
  readonly live?: (() => LiveScreen) | undefined
}

/** The terminal of this process, or plain lines when there is none. */
export function processScreen(): Screen {
  const { stdout, stderr, stdin } = process
  const interactive = stdout.isTTY === true && stdin.isTTY === true && !process.env.CI
  const moves = interactive && process.env.TERM !== 'dumb'
  const area = new LiveArea(
    (text) => void stderr.write(text),
    () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 }),
  )
  return {
    get width() {
      return stdout.isTTY ? Math.max(60, stdout.columns || 80) : Number.POSITIVE_INFINITY
    },
    interactive,
    line: (text) => area.above(() => void stdout.write(`${text}\n`)),
    note: (text) => area.above(() => void stderr.write(`${text}\n`)),
    draw: moves && stderr.isTTY === true ? (lines) => area.draw(lines) : undefined,
    live: moves ? () => new LiveScreen(processTerminal(stdout)) : undefined,
  }
}
