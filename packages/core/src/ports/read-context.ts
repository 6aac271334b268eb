import { AsyncLocalStorage } from 'node:async_hooks'
import type { CommitToken } from './commit-scope.ts'

/**
 * What reads in the current asynchronous context must have seen at least ("read your writes").
 * Routers add a token per commit and choose replicas that have reached it; caches read under the token of the last
 * invalidation.
 */
export class ReadContext {
  readonly #tokens = new Map<string, CommitToken>()
  /** Those with `unsettled`, by that name. */
  #unsettled: ReadonlyMap<string, CommitToken> | undefined

  constructor(tokens: Iterable<CommitToken> = []) {
    for (const token of tokens) this.add(token)
  }

  /** Keeps the later of the tokens of one shard. A token of another incarnation replaces the older one. */
  add(token: CommitToken): void {
    if (token.unsettled !== undefined) {
      this.#unsettled = new Map([...(this.#unsettled ?? []), [token.unsettled, token]])
      return
    }
    const known = this.#tokens.get(token.shard)
    if (known && known.incarnation === token.incarnation && !isLater(token, known)) return
    this.#tokens.set(token.shard, token)
  }

  /** True when all tokens are of this epoch: with another one, what they stand for may be on another shard now. */
  isOf(epoch: number): boolean {
    for (const token of this.#tokens.values()) if (token.epoch !== epoch) return false
    return true
  }

  tokenOf(shard: string): CommitToken | undefined {
    return this.#tokens.get(shard)
  }

  get tokens(): readonly CommitToken[] {
    return [...this.#tokens.values(), ...(this.#unsettled?.values() ?? [])]
  }

  /** What is committed on a shard and not finished there yet, as far as this context knows. */
  unsettledOn(shard: string): readonly CommitToken[] {
    if (this.#unsettled === undefined) return noTokens
    return [...this.#unsettled.values()].filter((token) => token.shard === shard)
  }

  /** It is finished: from here on `token`, which was read afterwards, stands for it. */
  settle(unsettled: CommitToken, token: CommitToken): void {
    const rest = new Map(this.#unsettled)
    rest.delete(unsettled.unsettled ?? '')
    this.#unsettled = rest.size > 0 ? rest : undefined
    this.add(token)
  }
}

function isLater(token: CommitToken, known: CommitToken): boolean {
  const order = compareLsn(token.lsn, known.lsn)
  return order > 0 || (order === 0 && token.epoch > known.epoch)
}

const noTokens: readonly CommitToken[] = Object.freeze([])

const storage = new AsyncLocalStorage<ReadContext>()

/** The context of the caller, or `undefined` outside `runInReadContext`. */
export function currentReadContext(): ReadContext | undefined {
  return storage.getStore()
}

/**
 * Runs `work` with a context that collects the tokens of its commits.
 * @example
 * await runInReadContext(new ReadContext(), async () => { await write(); await read() }) // the read sees the write
 */
export function runInReadContext<T>(context: ReadContext, work: () => T): T {
  return storage.run(context, work)
}

/** Negative when a is before b. Both `pg_lsn` text. */
export function compareLsn(a: string, b: string): number {
  const difference = lsnToBigInt(a) - lsnToBigInt(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function lsnToBigInt(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
