import type { Telemetry, TelemetryAttributes, TelemetrySpan } from '@shardwright/core'
import { errorCodeOf } from './error-code.ts'
import { sanitizedSql } from './sanitized-sql.ts'
import type { ServerContext } from './server-context.ts'
import { shapeLabel } from './shape-label.ts'
import type { Statement } from './shard-pool.ts'
import { sqlStateOf } from './sql-state.ts'
import { statementSummary } from './statement-summary.ts'
import { toldParameters } from './told-parameters.ts'

export type LaneName = 'pipelined' | 'exclusive' | 'lease' | 'stream'

/** What is measured of one shape on one lane: the same objects each time, so that adapters can keep a series by identity. */
interface Measured {
  readonly metric: TelemetryAttributes
  readonly span: TelemetryAttributes
  readonly name: string
}

/** Measures the statements of one server. Values in the text are never told, parameters when that was asked for. */
export class StatementTelemetry {
  readonly #telemetry: Telemetry
  readonly #context: ServerContext
  readonly #server: TelemetryAttributes
  readonly #measured = new Map<string, Map<LaneName, Measured>>()
  /** By lane and shape. */
  readonly #metrics = new Map<string, TelemetryAttributes>()

  constructor(context: ServerContext) {
    const { telemetry, shard, role, address } = context
    this.#telemetry = telemetry
    this.#context = context
    this.#server = Object.freeze({ shard, role, server: address.label })
  }

  start({ sql, parameters }: Statement, lane: LaneName): TelemetrySpan {
    const { name, span } = this.#measuredOf(sql, lane)
    const told = this.#context.tellParameters ? { ...span, ...toldParameters(parameters) } : span
    return this.#telemetry.span(name, told)
  }

  succeeded(sql: string, lane: LaneName, durationMs: number, rows: number, span: TelemetrySpan): void {
    const { metric } = this.#measuredOf(sql, lane)
    this.#telemetry.record('shardwright.pool.statement_ms', durationMs, metric)
    this.#telemetry.record('shardwright.pool.rows', rows, metric)
    span.end()
  }

  failed(sql: string, lane: LaneName, durationMs: number, error: unknown, span: TelemetrySpan): void {
    const { metric } = this.#measuredOf(sql, lane)
    const state = sqlStateOf(error)
    this.#telemetry.record('shardwright.pool.statement_ms', durationMs, metric)
    this.#telemetry.count('shardwright.pool.errors', 1, { ...metric, code: errorCodeOf(error) })
    span.end(state === undefined ? { error } : { error, attributes: { 'db.response.status_code': state } })
  }

  /** A wait for a session of the exclusive lane. */
  waited(waitMs: number): void {
    this.#telemetry.record('shardwright.pool.wait_ms', waitMs, this.#server)
  }

  #measuredOf(sql: string, lane: LaneName): Measured {
    const known = this.#measured.get(sql)?.get(lane)
    return known ?? this.#measure(sql, lane)
  }

  #measure(sql: string, lane: LaneName): Measured {
    if (this.#measured.size >= maxMeasured) this.#measured.clear()
    const { shard, role, address } = this.#context
    const { operation, target, summary } = statementSummary(sql)
    const shape = shapeLabel(sql)
    const measured: Measured = Object.freeze({
      name: summary,
      metric: this.#metricOf(lane, summary, shape),
      span: Object.freeze({
        'db.system.name': 'postgresql',
        'db.namespace': address.database,
        'db.operation.name': operation,
        'db.query.summary': summary,
        'db.query.text': sanitizedSql(sql),
        ...(target === '' ? {} : { 'db.collection.name': target }),
        'server.address': address.host,
        'server.port': address.port,
        'shardwright.shard': shard,
        'shardwright.role': role,
        'shardwright.lane': lane,
        'shardwright.shape': shape,
      }),
    })
    const lanes = this.#measured.get(sql) ?? new Map<LaneName, Measured>()
    this.#measured.set(sql, lanes.set(lane, measured))
    return measured
  }

  /** Series cost memory here and in whatever collects them: shapes beyond a number are measured together. */
  #metricOf(lane: LaneName, statement: string, shape: string): TelemetryAttributes {
    const key = `${lane} ${statement} ${shape}`
    const known = this.#metrics.get(key)
    if (known !== undefined) return known
    if (this.#metrics.size >= maxSeries && shape !== other) return this.#metricOf(lane, other, other)
    const { shard, role } = this.#context
    const made = Object.freeze({ shard, role, lane, statement, shape })
    this.#metrics.set(key, made)
    return made
  }
}

const maxMeasured = 5_000
const maxSeries = 200
const other = 'other'
