import { styleText } from 'node:util'
import type { Output } from './progress.ts'
import { wrap } from './wrap.ts'

/** Prints headings and named fields; colours only on a terminal. */
export class Screen {
  readonly output: Output

  constructor(output: Output) {
    this.output = output
  }

  heading(text: string): void {
    const line = `\n== ${text}`
    this.line(this.output.isTTY ? styleText('bold', line, { validateStream: false }) : line)
  }

  field(name: string, text: string): void {
    this.line(`  ${name.padStart(7)}  ${wrap(text, 11)}`)
  }

  line(text: string): void {
    this.output.write(`${text}\n`)
  }
}
