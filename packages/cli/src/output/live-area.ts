import { stripVTControlCharacters } from 'node:util'

/** Lines at the end of a terminal that are drawn over; what is written meanwhile goes above them. */
export class LiveArea {
  readonly #write: (text: string) => void
  readonly #size: () => { readonly columns: number; readonly rows: number }
  #lines: readonly string[] = []

  constructor(
    write: (text: string) => void,
    size: () => { readonly columns: number; readonly rows: number } = () => ({ columns: 80, rows: 24 }),
  ) {
    this.#write = write
    this.#size = size
  }

  /** Replaces what was drawn before; no lines take it away. */
  draw(lines: readonly string[]): void {
    const erase = this.#eraser()
    this.#lines = this.#fitted(lines)
    this.#write(erase + this.#lines.map((line) => `${line}\n`).join(''))
  }

  /** Runs `write`, which writes whole lines, with the area out of the way. */
  above(write: () => void): void {
    const lines = this.#lines
    if (lines.length > 0) this.draw([])
    write()
    if (lines.length > 0) this.draw(lines)
  }

  #eraser(): string {
    return this.#lines.length === 0 ? '' : `\r\u001b[${this.#lines.length}A\u001b[J`
  }

  /** A line that wraps, or one above the upper edge, could not be drawn over. */
  #fitted(lines: readonly string[]): readonly string[] {
    const { columns, rows } = this.#size()
    const room = Math.max(1, rows - 2)
    const shown = lines.length > room ? [...lines.slice(0, room - 1), `  and ${lines.length - room + 1} more`] : lines
    return shown.map((line) => [...stripVTControlCharacters(line)].slice(0, Math.max(1, columns - 1)).join(''))
  }
}
