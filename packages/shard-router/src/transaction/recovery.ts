import type { Fleet, FleetConnection } from '@shardwright/core'
import { sqlStateOf } from '../pool/sql-state.ts'
import { decide, readDecision } from './decide.ts'
import { installDecisionTable, type Outcome } from './decision-table.ts'
import { finishSql, noSuchPrepared, preparedBusy } from './finish-prepared.ts'
import { forgetDecisions } from './forget-decisions.ts'
import { incarnationSql } from './incarnation.ts'
import { type OpenShards, openShards } from './open-shards.ts'
import { listPrepared, type PreparedPart } from './prepared-parts.ts'
import { type RecoveryOptions, type RecoverySettings, resolveRecoveryOptions } from './recovery-options.ts'
import type { LeftPart, LeftReason, RecoveredPart, RecoveryReport } from './recovery-report.ts'

/**
 * Makes schema and table of decisions on every shard: once, by a role that may. Atomic transactions make them by
 * themselves when their role may.
 * @throws TransactionError DECISION_TABLE_UNAVAILABLE; ConnectionError SHARD_UNREACHABLE
 * @example
 * await installTransactions(fleet)
 */
export async function installTransactions(fleet: Fleet): Promise<void> {
  for (const shard of fleet.shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright transactions' })
    await installDecisionTable(connection.client, shard.id)
  }
}

/**
 * Finishes what a crash left prepared, each transaction wholly committed or wholly rolled back, by what its decider says.
 * Safe at any time, beside running transactions and other recoveries. Never judges by age: a prepared transaction without
 * a decision is first made undecidable otherwise, by a row at its decider. What cannot be known is left and reported.
 * @throws TransactionError INVALID_TRANSACTION_OPTIONS
 * @example
 * const { recovered, left } = await recoverTransactions(router.fleet)
 */
export async function recoverTransactions(fleet: Fleet, options: RecoveryOptions = {}): Promise<RecoveryReport> {
  const settings = resolveRecoveryOptions(options)
  await using shards = await openShards(fleet, 'shardwright recovery', settings.signal)
  return await new Recovery(fleet, shards, settings).run()
}

type Verdict = { readonly outcome: Outcome } | { readonly reason: LeftReason; readonly error?: unknown }

class Recovery {
  readonly #fleet: Fleet
  readonly #shards: OpenShards
  readonly #settings: RecoverySettings
  readonly #verdicts = new Map<string, Verdict>()
  readonly #incarnations = new Map<string, string>()
  readonly #recovered: RecoveredPart[] = []
  readonly #left: LeftPart[] = []

  constructor(fleet: Fleet, shards: OpenShards, settings: RecoverySettings) {
    this.#fleet = fleet
    this.#shards = shards
    this.#settings = settings
  }

  async run(): Promise<RecoveryReport> {
    const { connections, unreachable } = this.#shards
    const lost: { shard: string; error: unknown }[] = [...unreachable]
    const parts: PreparedPart[] = []
    for (const connection of connections.values()) {
      await orNote(connection, lost, async () => {
        await connection.query(`set lock_timeout = ${this.#settings.lockTimeoutMs}`)
        parts.push(...(await listPrepared(connection, this.#fleet.topologyId)))
      })
    }
    const old = parts.filter(({ ageMs }) => ageMs >= this.#settings.graceMs)
    for (const part of old) {
      this.#settings.signal?.throwIfAborted()
      await this.#recover(part)
    }
    let forgotten = 0
    for (const connection of connections.values()) {
      await orNote(connection, lost, async () => {
        forgotten += await forgetDecisions(connection, this.#shards, this.#fleet.topologyId)
      })
    }
    const report = Object.freeze({
      recovered: this.#recovered,
      left: this.#left,
      young: parts.length - old.length,
      unreachable: lost,
      forgotten,
    })
    this.#tell(report)
    return report
  }

  async #recover(part: PreparedPart): Promise<void> {
    const { connection, gid, name, ageMs } = part
    let verdict = this.#verdicts.get(name.txid)
    if (verdict === undefined) {
      verdict = await this.#verdictOf(part)
      this.#verdicts.set(name.txid, verdict)
    }
    const shard = connection.shardId
    if ('reason' in verdict) {
      this.#left.push({ shard, gid, ageMs, ...verdict })
      return
    }
    try {
      await connection.query(finishSql(verdict.outcome, gid))
      this.#recovered.push({ shard, gid, outcome: verdict.outcome })
    } catch (error) {
      const state = sqlStateOf(error)
      // Its own process, or another recovery, was quicker; the decision is the same for all.
      if (state === noSuchPrepared) return
      this.#left.push({ shard, gid, ageMs, reason: state === preparedBusy ? 'busy' : 'failed', error })
    }
  }

  async #verdictOf({ name }: PreparedPart): Promise<Verdict> {
    const decider = this.#shards.connections.get(name.decider)
    if (decider === undefined) {
      return { reason: this.#shards.names.has(name.decider) ? 'decider unreachable' : 'unknown decider' }
    }
    try {
      await installDecisionTable(decider.client, decider.shardId)
      if ((await this.#incarnationOf(decider)) !== name.incarnation) {
        // A row that survived speaks the truth; that none is there proves nothing.
        const outcome = await readDecision(decider.client, name.txid)
        return outcome === undefined ? { reason: 'another incarnation' } : { outcome }
      }
      return { outcome: await decide(decider.client, name.txid, name.topology) }
    } catch (error) {
      const state = sqlStateOf(error)
      if (state === '55P03') return { reason: 'busy', error }
      return { reason: state === undefined ? 'decider unreachable' : 'failed', error }
    }
  }

  async #incarnationOf(decider: FleetConnection): Promise<string> {
    const known = this.#incarnations.get(decider.shardId)
    if (known !== undefined) return known
    const { rows } = await decider.query<{ incarnation: string }>(`select ${incarnationSql} as incarnation`)
    const incarnation = rows[0]!.incarnation
    this.#incarnations.set(decider.shardId, incarnation)
    return incarnation
  }

  #tell({ recovered, left }: RecoveryReport): void {
    const { telemetry, warnAfterMs } = this.#settings
    const topology = this.#fleet.topologyId
    for (const { shard, outcome } of recovered) {
      telemetry.count('shardwright.transactions.recovered', 1, { shard, outcome })
    }
    telemetry.gauge('shardwright.transactions.in_doubt_now', left.length, { topology })
    for (const { shard, gid, reason, ageMs } of left) {
      if (ageMs < warnAfterMs) continue
      const seconds = Math.round(ageMs / 1_000)
      telemetry.log(
        'warn',
        `Prepared transaction ${gid} on shard '${shard}' is in doubt for ${seconds} s: ${reason}.`,
        {
          shard,
          reason,
        },
      )
    }
  }
}

async function orNote(
  connection: FleetConnection,
  lost: { shard: string; error: unknown }[],
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    lost.push({ shard: connection.shardId, error })
  }
}
