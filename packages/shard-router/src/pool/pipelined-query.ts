import type { PipelinedClient } from './pipelined-client.ts'
import type { TypeParsers } from './row-reader.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { StatementShape } from './statement-shape.ts'
import { WireQuery } from './wire-query.ts'

type Answered = (query: PipelinedQuery, error: unknown) => void

/** A statement on a pipelined client, with what is needed when its answer comes. */
export class PipelinedQuery extends WireQuery {
  readonly client: PipelinedClient
  readonly shape: StatementShape
  readonly options: RunOptions | undefined
  /** True for the second and last try after a stale plan. */
  readonly again: boolean
  readonly resolve: (result: StatementResult) => void
  readonly reject: (error: unknown) => void

  constructor(
    client: PipelinedClient,
    shape: StatementShape,
    statement: Statement,
    options: RunOptions | undefined,
    types: TypeParsers,
    again: boolean,
    answered: Answered,
    resolve: (result: StatementResult) => void,
    reject: (error: unknown) => void,
  ) {
    super(statement, client.formOf(shape), types, answered as (query: WireQuery, error: unknown) => void)
    this.client = client
    this.shape = shape
    this.options = options
    this.again = again
    this.resolve = resolve
    this.reject = reject
  }
}
