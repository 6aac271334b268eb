import { type Clock, type FleetConnection, type FleetShard, ShardwrightError } from '@shardwright/core'
import { destroySocket } from '../pool/stop-statement.ts'

/** A server that is frozen is asked anew, as another one may have taken its place. */
const answerTimeoutMs = 10_000

/** Asks one shard again and again, on a connection that is opened anew whenever it is lost. */
export class Lookout {
  readonly shardId: string
  readonly #shard: FleetShard
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #connection: FleetConnection | undefined

  /** Nothing is waited for when the signal is aborted. */
  constructor(shard: FleetShard, clock: Clock, signal: AbortSignal) {
    this.shardId = shard.id
    this.#shard = shard
    this.#clock = clock
    this.#signal = signal
  }

  async ask<Row>(sql: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    this.#connection ??= await this.#shard.connect({ applicationName: 'shardwright topology', signal: this.#signal })
    const connection = this.#connection
    const answered = new AbortController()
    const cut = () => destroySocket(connection)
    const { signal } = answered
    this.#signal.addEventListener('abort', cut, { once: true, signal })
    this.#clock.sleep(answerTimeoutMs, { signal, unref: true }).then(cut, ignore)
    try {
      return (await connection.query<Row>(sql, parameters)).rows
    } catch (error) {
      await this.close()
      throw error
    } finally {
      answered.abort()
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.release().catch(ignore)
  }
}

/** The shard may answer when it is asked again. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ShardwrightError) return error.code === 'SHARD_UNREACHABLE'
  const { code } = error as { code?: unknown }
  return typeof code !== 'string' || /^(?:08|57P)/.test(code) || !/^[0-9A-Z]{5}$/.test(code)
}

function ignore(): void {}
