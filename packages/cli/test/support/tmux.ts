import { spawnSync } from 'node:child_process'

/** True where tmux can be asked for a terminal. */
export const tmuxHere = spawnSync('tmux', ['-V']).status === 0

/** A shell in a real terminal, of a tmux server of its own. */
export class TmuxTerminal implements Disposable {
  readonly #socket = `shardwright-${process.pid}`

  constructor(size: { readonly columns: number; readonly rows: number }, folder: string) {
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      `${size.columns}`,
      '-y',
      `${size.rows}`,
      '-c',
      folder,
      'sh',
    )
  }

  /** Types a line and Enter. */
  type(line: string): void {
    this.#tmux('send-keys', '-l', line)
    this.press('Enter')
  }

  /** As tmux names keys: `C-c`. */
  press(key: string): void {
    this.#tmux('send-keys', key)
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`)
  }

  /** What stands there now. */
  get text(): string {
    return this.#tmux('capture-pane', '-p').trimEnd()
  }

  get state(): { readonly alternate: boolean; readonly cursor: boolean } {
    const [alternate, cursor] = this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}').trim().split(' ')
    return { alternate: alternate === '1', cursor: cursor === '1' }
  }

  /** Looks until it fits. */
  async until(fits: (text: string) => boolean): Promise<string> {
    for (let left = 150; ; left--) {
      const { text } = this
      if (fits(text)) return text
      if (left === 0) throw new Error(`the terminal does not show it:\n${text}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server')
  }

  #tmux(...args: string[]): string {
    return spawnSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' }).stdout
  }
}
