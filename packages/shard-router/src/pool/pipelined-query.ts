import type { TelemetrySpan } from '@shardwright/core'
import type { PipelinedClient } from './pipelined-client.ts'
import type { TypeParsers } from './row-reader.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { StatementShape } from './statement-shape.ts'
import { WireQuery } from './wire-query.ts'

type Answered = (query: PipelinedQuery, error: unknown) => void

/**
 * Asked about a failed statement before its caller is told: the promise of another try elsewhere or later, or undefined
 * when the failure stands.
 */
export type Recover = (
  error: unknown,
  statement: Statement,
  options: RunOptions | undefined,
) => Promise<StatementResult> | undefined

/** A statement on a pipelined client, with what is needed when its answer comes. */
export class PipelinedQuery extends WireQuery {
  readonly client: PipelinedClient
  readonly shape: StatementShape
  readonly resolve: (result: StatementResult | PromiseLike<StatementResult>) => void
  readonly reject: (error: unknown) => void
  options: RunOptions | undefined = undefined
  recover: Recover | undefined = undefined
  span: TelemetrySpan | undefined = undefined
  /** True for the second and last try after a stale plan. */
  again = false
  /** The answer of what travels behind this query. */
  follower: Promise<StatementResult | undefined> | undefined = undefined

  constructor(
    client: PipelinedClient,
    shape: StatementShape,
    statement: Statement,
    types: TypeParsers,
    answered: Answered,
    resolve: (result: StatementResult | PromiseLike<StatementResult>) => void,
    reject: (error: unknown) => void,
  ) {
    super(statement, client.formOf(shape), types, answered as (query: WireQuery, error: unknown) => void)
    this.client = client
    this.shape = shape
    this.resolve = resolve
    this.reject = reject
  }
}
