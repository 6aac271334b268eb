import { RotatingCounter } from '../histogram/rotating-counter.ts'
import type { Windows } from './windows.ts'

/** Rotating counters by one label of low cardinality. */
export class CounterSet {
  readonly #windows: Windows
  readonly #counters = new Map<string, RotatingCounter>()

  constructor(windows: Windows) {
    this.#windows = windows
  }

  add(label: string, value: number): void {
    let counter = this.#counters.get(label)
    if (counter === undefined) {
      counter = new RotatingCounter({ windowMs: this.#windows.windowMs, windows: this.#windows.windows })
      this.#counters.set(label, counter)
    }
    counter.add(value, this.#windows.nowMs())
  }

  total(label: string): number {
    return this.#counters.get(label)?.total(this.#windows.nowMs()) ?? 0
  }

  labels(): readonly string[] {
    return [...this.#counters.keys()]
  }
}
