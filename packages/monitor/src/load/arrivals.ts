import type { LoadStage } from './load-stage.ts'

/**
 * When calls arrive, milliseconds from the start, ascending: evenly, or at random (a Poisson process) when `random` is given.
 * An open model: nobody waits for an answer before the next call arrives.
 */
export function* arrivals(stages: readonly LoadStage[], random?: () => number): Generator<number> {
  const gap = () => (random ? -Math.log(1 - random()) : 1)
  let startMs = 0
  // Arrivals that are due when `expected` of the stage's own reaches it.
  let next = random ? gap() : 0.5
  for (const stage of stages) {
    const all = ((stage.fromRate + stage.toRate) / 2) * (stage.durationMs / 1000)
    while (next < all) {
      yield startMs + timeOf(next, stage)
      next += gap()
    }
    next -= all
    startMs += stage.durationMs
  }
}

/** When so many arrivals of the stage are expected: the inverse of `from * t + (to - from) * t^2 / 2d`. */
function timeOf(count: number, { durationMs, fromRate, toRate }: LoadStage): number {
  const from = fromRate / 1000
  const slope = (toRate - fromRate) / 1000 / durationMs
  if (Math.abs(slope) < 1e-15) return count / from
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * count))
  // The form that does not subtract two almost equal numbers.
  return Math.min(durationMs, (2 * count) / (from + root))
}
