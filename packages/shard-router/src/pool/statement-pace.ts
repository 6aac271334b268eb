/** What is long on a lane now. */
export interface LanePace {
  /** What takes less is never slow. */
  readonly slowMs: number
  /** What the lane's usual statement takes. */
  readonly usualMs: number
}

/**
 * Decides whether the statements of one shape may go where others wait behind them, by how long they take.
 *
 * On a busy machine all durations grow, those beside the lane most: many sessions share the processors there. So one long
 * answer is no verdict, and a shape that left the lane is tried there again now and then, one statement at a time.
 */
export class StatementPace {
  /** Smoothed duration where the shape runs now, milliseconds. */
  serviceMs = 0
  #onLane: boolean
  #samples = 0
  #left = false
  #trialPauseMs = firstPauseMs
  #nextTrialAt = 0
  #trialSince = Number.POSITIVE_INFINITY
  /** About the shortest duration beside the lane: a machine that is busy makes many long, and few of them all. */
  #shortestMs = Number.POSITIVE_INFINITY
  #since = 0
  #quietUntil = 0
  /** Sent beside the lane since the shape left it, while none was answered. */
  #unanswered = 0

  /** `onLane`: tried on the lane at once, else measured beside it first. */
  constructor(onLane: boolean) {
    this.#onLane = onLane
  }

  /** True when the next statement may go on the lane; `clock` gives monotonic milliseconds. */
  takesLane(clock: { monotonicMs(): number }, { slowMs }: Pick<LanePace, 'slowMs'>): boolean {
    if (this.#quietUntil > 0) {
      if (clock.monotonicMs() < this.#quietUntil) return false
      this.#quietUntil = 0
    }
    if (this.#onLane) return true
    // What is never short would only hold others up. Where none of several was answered, all sessions may be taken.
    if (!this.#left || (this.#shortestMs > slowMs * 4 && ++this.#unanswered < fewest)) return false
    const now = clock.monotonicMs()
    if (now < this.#nextTrialAt) return false
    this.#trialSince = now
    this.#pauseFrom(now)
    return true
  }

  /** A statement waited for a lock: those that come now would as a rule wait for the same one. */
  waited(now: number, quietMs: number): void {
    this.#quietUntil = now + quietMs
  }

  /** Learns how long a statement took on the lane. */
  learnOnLane(durationMs: number, sentAt: number, now: number, lane: LanePace): void {
    if (!this.#onLane) {
      if (sentAt >= this.#trialSince) this.#judgeTrial(durationMs, now, lane)
      return
    }
    // However long one answer takes, it is one: a machine that stood still says nothing of the shape.
    this.#learn(Math.min(durationMs, lane.slowMs * 10), laneSmoothing)
    if (this.#samples >= fewest && isLong(this.serviceMs, lane)) this.#leave(now)
  }

  /** Learns how long a statement took on a session of its own. */
  learnBeside(durationMs: number, now: number, { slowMs }: Pick<LanePace, 'slowMs'>): void {
    if (this.#onLane) return
    this.#learn(durationMs, besideSmoothing)
    this.#unanswered = Number.NEGATIVE_INFINITY
    this.#shortestMs = Math.min(durationMs, this.#shortestMs * 1.1)
    if (this.serviceMs <= (this.#left ? slowMs / 2 : slowMs)) this.#enter(now)
    else this.#left = true
  }

  /** What took longer than the lane allows is slow without further measuring. */
  exceeded(durationMs: number, now: number): void {
    this.serviceMs = Math.max(this.serviceMs, durationMs)
    if (this.#onLane) this.#leave(now)
  }

  #judgeTrial(durationMs: number, now: number, lane: LanePace): void {
    this.#trialSince = Number.POSITIVE_INFINITY
    if (isLong(durationMs, lane) && durationMs > this.serviceMs / 4) return
    this.serviceMs = durationMs
    this.#enter(now)
  }

  #enter(now: number): void {
    this.#onLane = true
    this.#samples = 0
    this.#since = now
  }

  #leave(now: number): void {
    if (now - this.#since > longestPauseMs) this.#trialPauseMs = firstPauseMs
    this.#onLane = false
    this.#left = true
    this.#samples = 0
    this.#shortestMs = Number.POSITIVE_INFINITY
    this.#unanswered = 0
    this.#trialSince = Number.POSITIVE_INFINITY
    this.#pauseFrom(now)
  }

  /** Each trial that fails may hold others up, so that the next one comes later. */
  #pauseFrom(now: number): void {
    this.#nextTrialAt = now + this.#trialPauseMs
    this.#trialPauseMs = Math.min(this.#trialPauseMs * 2, longestPauseMs)
  }

  #learn(durationMs: number, smoothing: number): void {
    if (this.#samples < 1_000_000) this.#samples++
    this.serviceMs += (durationMs - this.serviceMs) * Math.max(smoothing, 1 / this.#samples)
  }
}

function isLong(durationMs: number, { slowMs, usualMs }: LanePace): boolean {
  return durationMs > slowMs && durationMs > usualMs * 4
}

const firstPauseMs = 1_000
const longestPauseMs = 60_000
// One answer of a batch carries every pause of the process: an average over many, and never of one or two.
const laneSmoothing = 0.05
const besideSmoothing = 0.2
const fewest = 3
