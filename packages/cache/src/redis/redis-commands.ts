import { BrokenCircuitError, type CircuitBreakerPolicy, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import { withDeadline } from './deadline.ts'
import { type RedisClient, type RedisNode, textOf } from './redis-client.ts'
import type { RedisScript } from './redis-script.ts'

export interface RedisCommandsOptions {
  readonly client: RedisClient
  /** Soft budget of one operation. */
  readonly budgetMs: number
  readonly breakAfterFailures: number
  readonly breakForMs: number
  readonly onBreak: () => void
}

/** Commands under a budget and a breaker; a timeout is a failure like any other. */
export class RedisCommands {
  readonly #options: RedisCommandsOptions
  readonly #breaker: CircuitBreakerPolicy
  #unanswered = 0

  constructor(options: RedisCommandsOptions) {
    this.#options = options
    this.#breaker = circuitBreaker(handleAll, {
      halfOpenAfter: options.breakForMs,
      breaker: new ConsecutiveBreaker(options.breakAfterFailures),
    })
    this.#breaker.onBreak(() => options.onBreak())
  }

  get cluster(): boolean {
    return this.#options.client.isCluster === true
  }

  /** Within the budget; throws at once while the breaker is open. */
  guarded<T>(work: () => Promise<T>): Promise<T> {
    return this.#breaker.execute(() => withDeadline(work(), this.#options.budgetMs))
  }

  /** Past the breaker, for what must be tried: invalidations. So many may be without an answer, no more. */
  urgent<T>(work: () => Promise<T>, budgetMs: number): Promise<T> {
    if (this.#unanswered >= mostUnanswered) return Promise.reject(new Error('Redis does not answer'))
    this.#unanswered += 1
    const answer = work()
    const answered = (): void => {
      this.#unanswered -= 1
    }
    answer.then(answered, answered)
    return withDeadline(answer, budgetMs)
  }

  async call(command: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    const { client } = this.#options
    // A client with an offline queue would keep commands, without bound, for a server that may never come.
    if (!sending.has(client.status)) throw new Error(`the connection to Redis is ${client.status}`)
    return await client.callBuffer(command, ...args)
  }

  async run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    try {
      return await this.call('EVALSHA', script.sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!isNoScript(error)) throw error
      return await this.call('EVAL', script.source, keys.length, ...keys, ...args)
    }
  }

  /** The run ids of the servers that take writes: another set means that what was stored cannot be believed. */
  async runIds(): Promise<string> {
    const { client } = this.#options
    const nodes: readonly RedisNode[] = client.nodes?.('master') ?? [client]
    const ids = await Promise.all(nodes.map(async (node) => runIdOf(textOf(await node.callBuffer('INFO', 'server')))))
    return ids.sort().join(',')
  }
}

/** `wait`: a lazy client connects with its first command. */
const sending: ReadonlySet<string> = new Set(['ready', 'wait'])
const mostUnanswered = 1_000

/** True when Redis was not even asked. */
export function isBreakerOpen(error: unknown): boolean {
  return error instanceof BrokenCircuitError
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

function runIdOf(info: string): string {
  const runId = /^run_id:(\w+)/m.exec(info)?.[1]
  if (!runId) throw new Error('INFO server told no run_id')
  return runId
}
