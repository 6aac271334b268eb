import type { TelemetrySpan } from '@shardwright/core'
import type { PipelinedClient } from './pipelined-client.ts'
import type { TypeParsers } from './row-reader.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { StatementShape } from './statement-shape.ts'
import { type WireForm, WireQuery } from './wire-query.ts'

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
  /** Runs work in the caller's context, where its span belongs when the statement is run again: answers come in elsewhere. */
  inCallersContext: (<T>(work: () => T) => T) | undefined = undefined
  /** The form of the first try, where this is the second: its name may be stale. */
  failedForm: WireForm | undefined = undefined
  /** Sent on another client too. */
  isOvertaken = false
  /** The other one was answered first. */
  isAnswered = false
  /** The answer of what travels behind this query. */
  follower: Promise<StatementResult | undefined> | undefined = undefined

  constructor(
    client: PipelinedClient,
    shape: StatementShape,
    statement: Statement,
    form: WireForm,
    types: TypeParsers,
    answered: Answered,
    resolve: (result: StatementResult | PromiseLike<StatementResult>) => void,
    reject: (error: unknown) => void,
  ) {
    super(statement, form, types, answered as (query: WireQuery, error: unknown) => void)
    this.client = client
    this.shape = shape
    this.resolve = resolve
    this.reject = reject
  }
}
