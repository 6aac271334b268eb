/** What a progress bar writes to: `process.stdout`, or a string in a test. */
export interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const barWidth = 40

/** A bar that is drawn over itself on a terminal, and a plain line every fifth of the way elsewhere. */
export class Progress {
  readonly #output: Output
  readonly #label: string
  readonly #total: number
  #done = 0
  #shown = -1

  constructor(output: Output, label: string, total: number) {
    this.#output = output
    this.#label = label
    this.#total = total
  }

  add(count: number): void {
    this.#done += count
    const percent = Math.floor((this.#done / this.#total) * 100)
    const step = this.#output.isTTY ? percent : Math.floor(percent / 20)
    if (step === this.#shown) return
    this.#shown = step
    const counts = `${this.#done.toLocaleString('en-US')} of ${this.#total.toLocaleString('en-US')} rows`
    if (!this.#output.isTTY) {
      this.#output.write(`${this.#label}: ${percent} %, ${counts}\n`)
      return
    }
    const filled = Math.round((percent / 100) * barWidth)
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
    this.#output.write(`\r${this.#label} ${bar} ${percent} % ${counts}`)
    if (this.#done >= this.#total) this.#output.write('\n')
  }
}
