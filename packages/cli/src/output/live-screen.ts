import { stripVTControlCharacters } from 'node:util'

const control = '\u001b['
const enter = `${control}?1049h${control}?25l`
const leave = `${control}?25h${control}?1049l`
const home = `${control}H`
const restOfLine = `${control}K`
const restOfScreen = `${control}J`

/** A terminal as far as a live screen needs it. */
export interface Terminal {
  write(text: string): void
  size(): { readonly columns: number; readonly rows: number }
  /** Tells of a new size until the function that it gives is called. */
  onResize(listener: () => void): () => void
  /** Runs `restore` when the process ends without having closed the screen; until the function that it gives is called. */
  onExit(restore: () => void): () => void
  /** Runs `restore` before Ctrl-Z stops the process, and `again` when it goes on; until the function that it gives is called. */
  onSuspend(restore: () => void, again: () => void): () => void
}

/**
 * The whole terminal, drawn over frame by frame without a cursor: the alternate screen, so that what stood there before stands
 * there again afterwards, whichever way the process ends.
 */
export class LiveScreen {
  readonly #terminal: Terminal
  readonly #forget: readonly (() => void)[]
  #frame: (width: number) => string = () => ''
  #open = true

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    terminal.write(enter)
    this.#forget = [
      terminal.onResize(() => this.#draw()),
      terminal.onExit(() => this.close()),
      terminal.onSuspend(
        () => terminal.write(leave),
        () => {
          terminal.write(enter)
          this.#draw()
        },
      ),
    ]
  }

  get open(): boolean {
    return this.#open
  }

  /** Shows a frame, and shows it again when the terminal changes its size. Lines past the lower edge are counted, not shown. */
  show(frame: (width: number) => string): void {
    this.#frame = frame
    this.#draw()
  }

  /** Gives the terminal back. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    for (const forget of this.#forget) forget()
    this.#terminal.write(leave)
  }

  #draw(): void {
    if (!this.#open) return
    const { columns, rows } = this.#terminal.size()
    const lines = fitted(this.#frame(columns).split('\n'), columns, rows)
    // Over the old frame instead of after a clearing: nothing flickers. No line feed after the last, which would scroll.
    this.#terminal.write(`${home}${lines.map((line) => `${line}${restOfLine}`).join('\r\n')}${restOfScreen}`)
  }
}

/** No line wraps, and no line is below the edge. */
function fitted(lines: readonly string[], columns: number, rows: number): readonly string[] {
  const room = Math.max(1, rows)
  const shown = lines.length > room ? [...lines.slice(0, room - 1), `... ${lines.length - room + 1} more lines`] : lines
  return shown.map((line) => {
    const characters = [...stripVTControlCharacters(line)]
    return characters.length <= columns
      ? characters.join('')
      : `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`
  })
}

/** The terminal of this process. */
export function processTerminal(stdout: NodeJS.WriteStream): Terminal {
  return {
    write: (text) => void stdout.write(text),
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onResize: (listener) => {
      stdout.on('resize', listener)
      return () => void stdout.off('resize', listener)
    },
    onExit: (restore) => {
      process.on('exit', restore)
      return () => void process.off('exit', restore)
    },
    onSuspend: (restore, again) => {
      const suspend = () => {
        restore()
        process.once('SIGCONT', again).kill(process.pid, 'SIGSTOP')
      }
      process.on('SIGTSTP', suspend)
      return () => void process.off('SIGTSTP', suspend).off('SIGCONT', again)
    },
  }
}
