import { describe, expect, it } from 'vitest'
import { LiveScreen, type Terminal } from '../src/output/live-screen.ts'

/** A terminal that keeps what is on it: the main screen, and the alternate one while that is on. */
class FakeTerminal implements Terminal {
  columns = 20
  rows = 5
  alternate = false
  cursor = true
  readonly listeners: Record<'resize' | 'exit' | 'suspend' | 'again', (() => void) | undefined> = {
    resize: undefined,
    exit: undefined,
    suspend: undefined,
    again: undefined,
  }
  #lines: string[] = []

  write(text: string): void {
    let row = 0
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal reads
    for (const part of text.match(/\u001b\[[?\d]*[a-zA-Z]|\r\n|[^\u001b\r\n]+/g) ?? []) {
      if (part.endsWith('1049h')) this.alternate = true
      else if (part.endsWith('1049l')) this.alternate = false
      else if (part.endsWith('25l')) this.cursor = false
      else if (part.endsWith('25h')) this.cursor = true
      else if (part === '\r\n') row++
      else if (part.endsWith('[J')) this.#lines.splice(row + 1)
      else if (!part.startsWith('\u001b')) this.#lines[row] = part
      if (part === '\r\n') this.#lines[row] ??= ''
      if (part.endsWith('[K') && text.includes(`\r\n${part}`)) this.#lines[row] ??= ''
    }
  }

  size = () => ({ columns: this.columns, rows: this.rows })
  onResize = (listener: () => void) => this.#listen('resize', listener)
  onExit = (restore: () => void) => this.#listen('exit', restore)
  onSuspend = (restore: () => void, again: () => void) => {
    this.#listen('again', again)
    return this.#listen('suspend', restore)
  }

  get text(): string {
    return this.#lines.join('\n')
  }

  #listen(name: keyof FakeTerminal['listeners'], listener: () => void): () => void {
    this.listeners[name] = listener
    return () => {
      this.listeners[name] = undefined
    }
  }
}

describe('a live screen', () => {
  it('takes the alternate screen without a cursor, and gives both back, once', () => {
    const terminal = new FakeTerminal()
    const screen = new LiveScreen(terminal)
    expect([terminal.alternate, terminal.cursor]).toEqual([true, false])
    screen.close()
    screen.close()
    screen.show(() => 'too late')
    expect([terminal.alternate, terminal.cursor, terminal.text]).toEqual([false, true, ''])
    expect([terminal.listeners.resize, terminal.listeners.exit, terminal.listeners.suspend]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('gives them back when the process ends without a word, and around a Ctrl-Z', () => {
    const terminal = new FakeTerminal()
    const screen = new LiveScreen(terminal)
    screen.show(() => 'frame')
    terminal.listeners.suspend?.()
    expect([terminal.alternate, terminal.cursor]).toEqual([false, true])
    terminal.listeners.again?.()
    expect([terminal.alternate, terminal.cursor, terminal.text]).toEqual([true, false, 'frame'])
    terminal.listeners.exit?.()
    expect([terminal.alternate, terminal.cursor, screen.open]).toEqual([false, true, false])
  })

  it('draws over the frame before, within the edges, and again for another size', () => {
    const terminal = new FakeTerminal()
    const screen = new LiveScreen(terminal)
    const lines = Array.from({ length: 9 }, (_, at) => `line ${at}`)
    screen.show((width) => [`width ${width} and what is too long`, ...lines].join('\n'))
    expect(terminal.text).toBe('width 20 and what i…\nline 0\nline 1\nline 2\n... 6 more lines')
    terminal.columns = 60
    terminal.rows = 12
    terminal.listeners.resize?.()
    expect(terminal.text).toBe(['width 60 and what is too long', ...lines].join('\n'))
    screen.show(() => 'short')
    expect(terminal.text).toBe('short')
  })
})
