/** How the pipelined lane of a server behaves. */
export interface LaneSettings {
  /** False: every statement gets a session of its own. */
  readonly pipeline: boolean
  /** Clients of the lane at most. One is faster than two until the server's one backend is the limit. */
  readonly maxClients: number
  /** The next client is opened when a statement would wait about this long behind others. */
  readonly targetWaitMs: number
  /** Statements on one client before the next is opened: at least, at most. */
  readonly minDepth: number
  readonly maxDepth: number
  /** A shape that takes longer goes to the exclusive lane. */
  readonly slowMs: number
  /** `lock_timeout` of the lane: who waits longer for a lock waits on the exclusive lane. */
  readonly lockTimeoutMs: number
  /** `statement_timeout` of the lane: what runs longer is stopped and runs again on the exclusive lane. */
  readonly capMs: number
  /**
   * Beyond the cap: a server that has not answered by then is given up. On a session of its own, where a statement may
   * take long, the server is asked whether it lives, twice with as much time.
   */
  readonly answerGraceMs: number
  /** Named statements of one client before it is replaced: neither pg nor the server forgets a name. */
  readonly maxNames: number
  /** Shapes remembered for each server. */
  readonly maxShapes: number
}

export const laneDefaults: LaneSettings = Object.freeze({
  pipeline: true,
  maxClients: 4,
  targetWaitMs: 4,
  minDepth: 24,
  maxDepth: 128,
  slowMs: 5,
  lockTimeoutMs: 50,
  capMs: 1_000,
  answerGraceMs: 5_000,
  maxNames: 4_000,
  maxShapes: 5_000,
})
