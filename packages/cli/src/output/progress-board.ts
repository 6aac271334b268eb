import { formatDuration } from './bytes.ts'
import type { Screen } from './screen.ts'

const frames = ['|', '/', '-', '\\']
const frameMs = 120

interface Running {
  doing: string
  readonly sinceMs: number
}

/**
 * What is under way on each shard. In a terminal it is drawn in place, a line per shard, and what has ended scrolls away
 * above; elsewhere only what has ended is printed, a line each.
 */
export class ProgressBoard {
  readonly #screen: Screen
  readonly #quiet: boolean
  readonly #running = new Map<string, Running>()
  #timer: NodeJS.Timeout | undefined
  #frame = 0

  constructor(screen: Screen, quiet = false) {
    this.#screen = screen
    this.#quiet = quiet
  }

  /** Says what is being done to `subject`, a shard as a rule. */
  doing(subject: string, doing: string): void {
    if (this.#quiet || !this.#screen.draw) return
    const running = this.#running.get(subject)
    if (running) running.doing = doing
    else this.#running.set(subject, { doing, sinceMs: performance.now() })
    this.#timer ??= setInterval(() => this.#draw(), frameMs).unref()
    this.#draw()
  }

  /** Something worth a line of its own that is not the end. */
  note(text: string): void {
    if (!this.#quiet) this.#screen.note(text)
  }

  /** `subject` is done with what it did; `text` says how. */
  ended(subject: string, text: string): void {
    if (this.#quiet) return
    this.#running.delete(subject)
    this.#screen.note(text)
    this.#draw()
  }

  /** Takes the drawing away. Idempotent. */
  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#running.size === 0) return
    this.#running.clear()
    this.#draw()
  }

  #draw(): void {
    const frame = frames[this.#frame++ % frames.length]
    const width = Math.max(0, ...[...this.#running.keys()].map((subject) => subject.length))
    const lines = [...this.#running].map(([subject, { doing, sinceMs }]) => {
      return `${frame} ${subject.padEnd(width)}  ${doing}  ${formatDuration(performance.now() - sinceMs)}`
    })
    this.#screen.draw?.(lines)
  }
}
