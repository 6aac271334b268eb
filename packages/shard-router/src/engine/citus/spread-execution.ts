import type { QueryResult } from 'kysely'
import type { ExecutionContext } from '../../execute/context.ts'
import { toQueryResult, withMoment } from '../../execute/execute-plan.ts'
import { bindTemplate, checkRows, runGathers, runMergePlan, travelling } from '../../execute/merge-select.ts'
import type { Route } from '../../execute/route.ts'
import { parseRows } from '../../merge/parse-rows.ts'
import type { MergePlan } from '../../plan/merge-plan.ts'
import { refuseVolatile } from '../../plan/plan-multi-shard.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import type { RunOptions, Statement } from '../../pool/shard-pool.ts'
import { coordinator } from './cluster-map.ts'
import { type ClusterStatements, writing } from './cluster-statements.ts'
import type { GatheredSource } from './gather-source.ts'
import { type GatheredPlan, onCoordinator } from './gather-tables.ts'
import type { NodeChoice } from './node-choice.ts'
import type { ShardMoves } from './shard-moves.ts'
import type { SpreadForm, SpreadForms } from './spread-forms.ts'

/** A statement of several shards on its way: its plan, its route and the caller's text. */
interface SpreadCall {
  readonly plan: PreparedPlan
  readonly route: Route
  readonly sql: string
}

type AsWritten = (plan: PreparedPlan) => Promise<QueryResult<unknown>>

/** Runs statements over several shards in the form that Citus answers as one PostgreSQL would. */
export class SpreadExecution {
  readonly #forms: SpreadForms
  readonly #statements: ClusterStatements
  readonly #choice: NodeChoice
  readonly #moves: ShardMoves

  constructor(forms: SpreadForms, statements: ClusterStatements, choice: NodeChoice, moves: ShardMoves) {
    this.#forms = forms
    this.#statements = statements
    this.#choice = choice
    this.#moves = moves
  }

  /** `asWritten` sends the statement to its server. */
  async run(call: SpreadCall, context: ExecutionContext, asWritten: AsWritten): Promise<QueryResult<unknown>> {
    const { plan } = call
    const again = context.transaction === undefined
    // A refusal would end the transaction around it: it is asked for outside.
    if (!again) await this.tried(call, context)
    const attempt = (form: SpreadForm): Promise<QueryResult<unknown>> => {
      if (form.source) return this.#writeFrom(form.source, call, context)
      if (!form.gathered) return asWritten(form.plan)
      return plan.kind === 'select'
        ? this.gather(form.gathered, plan, context)
        : this.#writeGathered(form.gathered, call, context)
    }
    return await this.#forms.run(plan, attempt, again)
  }

  /** The form of a statement; what nobody has tried yet is shown to Citus' planner. */
  async tried({ plan, route, sql }: SpreadCall, context: ExecutionContext): Promise<SpreadForm> {
    const form = this.#forms.of(plan)
    if (!form.untried || (plan.root as { explain?: unknown }).explain) return form
    try {
      await this.#ask({ plan: form.plan, route, sql }, context)
      return form
    } catch (error) {
      const other = this.#forms.afterRefusal(plan, error)
      return other && (await this.#runs(other, { plan, route, sql }, context)) ? other : this.#forms.of(plan)
    }
  }

  /** The plan in the form in which it is sent, for an explanation. */
  async sent(call: SpreadCall, context: ExecutionContext, asks: boolean): Promise<PreparedPlan> {
    const form = asks ? await this.tried(call, context) : this.#forms.of(call.plan)
    if (form.source) return await this.sent({ ...call, plan: form.source.source }, context, asks)
    return form.gathered ? { ...call.plan, template: form.gathered.combine.final } : form.plan
  }

  /** Reads the rows of the tables, and then what the statement says of them. */
  async gather(merge: MergePlan, plan: PreparedPlan, caller: ExecutionContext): Promise<QueryResult<unknown>> {
    const context = await withMoment(plan, caller)
    const { fields, rows } = await runMergePlan(merge, context)
    return { rows: parseRows(rows, fields, context.state.parsers) }
  }

  async #writeFrom({ source, over }: GatheredSource, { plan, route }: SpreadCall, caller: ExecutionContext) {
    const context = { ...(await withMoment(plan, caller)), part: 'the source of the write', bounded: true }
    const server = this.#choice.serverOf(plan, route, context.transaction)
    refuseVolatile(plan)
    const read = (form: SpreadForm) => runMergePlan(form.gathered ?? onCoordinator(form.plan), context)
    const { fields, rows, shard, origin } = await this.#forms.run(source, read, context.transaction === undefined)
    checkRows(rows.length, context, context.part)
    const { template, counted } = over(await travelling(fields, rows, shard, origin, context), context.call)
    const statement = writing(template, counted, context)
    return toQueryResult(await this.#moves.run(plan, route, server, statement, context))
  }

  async #writeGathered({ gathers, combine }: GatheredPlan, { plan, route }: SpreadCall, caller: ExecutionContext) {
    const context = await withMoment(plan, caller)
    const server = this.#choice.serverOf(plan, route, context.transaction)
    refuseVolatile(plan)
    const bound = bindTemplate(combine.final, await runGathers(gathers, context), context)
    const statement: Statement = { ...bound, access: 'write', rows: 'objects' }
    return toQueryResult(await this.#moves.run(plan, route, server, statement, context))
  }

  /** False where Citus refuses the other form as well. */
  async #runs(form: SpreadForm, { plan, route, sql }: SpreadCall, context: ExecutionContext): Promise<boolean> {
    if (form.gathered || form.source) return true
    try {
      await this.#ask({ plan: form.plan, route, sql }, context)
      return true
    } catch (error) {
      return !this.#forms.isInVain(plan, error)
    }
  }

  async #ask({ plan, route, sql }: SpreadCall, context: ExecutionContext): Promise<void> {
    const statement = await this.#statements.of(plan, route, sql, coordinator, context)
    const asked: Statement = { ...statement, sql: `explain ${statement.sql}`, access: 'read', rows: 'facts' }
    await context.state.pool.execute(coordinator, asked, askingOptions(context))
  }
}

/** The transaction around the statement may itself hold up what the question waits for: then it is run as it is written. */
function askingOptions({ run, state }: ExecutionContext): RunOptions {
  const deadline = state.clock.monotonicMs() + askMs
  return { ...run, deadline: Math.min(run.deadline ?? deadline, deadline) }
}

const askMs = 1_000
