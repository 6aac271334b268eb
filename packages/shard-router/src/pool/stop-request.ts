import type { AbortStrategy, RunOptions } from './shard-pool.ts'

const strategies = new WeakMap<object, AbortStrategy>()

/** A reason for an abort that says, now that it comes, what is to be done on the servers. */
export function stopRequest(message: string, strategy: AbortStrategy): DOMException {
  return stopping(new DOMException(message, 'AbortError'), strategy)
}

/** Makes any reason one that says it, unless it does. */
export function stopping<Reason>(reason: Reason, strategy: AbortStrategy): Reason {
  if (typeof reason === 'object' && reason !== null && !strategies.has(reason)) strategies.set(reason, strategy)
  return reason
}

/** What is to be done with a statement whose signal was aborted. */
export function strategyOf({ signal, abortStrategy }: RunOptions): AbortStrategy | undefined {
  const reason: unknown = signal?.reason
  const asked = typeof reason === 'object' && reason !== null ? strategies.get(reason) : undefined
  return asked ?? abortStrategy
}
