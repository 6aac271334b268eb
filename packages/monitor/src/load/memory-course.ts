/** How memory went over a run, bytes. What was collected in between does not show in one look, so ends are the lowest of a tenth. */
export interface MemoryCourse {
  readonly start: number
  readonly end: number
  readonly most: number
}

/** Memory of the process that ran the load: the router is in it. */
export interface LoadMemory {
  readonly rssBytes: MemoryCourse
  /** JavaScript's own. */
  readonly heapBytes: MemoryCourse
}

/** One look. */
export interface MemoryLook {
  readonly rssBytes: number
  readonly heapBytes: number
}

export function lookAtMemory(): MemoryLook {
  const { rss, heapUsed } = process.memoryUsage()
  return { rssBytes: rss, heapBytes: heapUsed }
}

/** The course of at least one look; pure. */
export function memoryOf(looks: readonly MemoryLook[]): LoadMemory {
  return Object.freeze({
    rssBytes: courseOf(looks.map(({ rssBytes }) => rssBytes)),
    heapBytes: courseOf(looks.map(({ heapBytes }) => heapBytes)),
  })
}

function courseOf(values: readonly number[]): MemoryCourse {
  const tenth = Math.max(1, Math.floor(values.length / 10))
  const lowest = (some: readonly number[]) => some.reduce((least, value) => Math.min(least, value))
  return Object.freeze({
    start: lowest(values.slice(0, tenth)),
    end: lowest(values.slice(-tenth)),
    most: values.reduce((most, value) => Math.max(most, value)),
  })
}
