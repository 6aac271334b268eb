import type { Schema } from '@shardwright/core'
import type { InsertQueryNode, RootOperationNode, SelectQueryNode } from 'kysely'
import type { Catalog } from '../../plan/catalog.ts'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate } from '../../plan/compile.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { bareQuery } from '../../plan/scope/query-node.ts'
import { withTypedValues } from '../../plan/write/typed-values.ts'
import { sqlStateOf } from '../../pool/sql-state.ts'
import { citusRefusal } from './citus-refusal.ts'
import { type GatheredSource, gatherSource } from './gather-source.ts'
import { type GatheredPlan, gatherTables } from './gather-tables.ts'
import { isTooLarge } from './intermediate-size.ts'
import { pullTables } from './pull-tables.ts'
import { refuseCteWrites } from './refuse-cte-writes.ts'
import { refuseMissingKeys } from './refuse-missing-keys.ts'
import { refuseTies } from './refuse-ties.ts'
import { withInside } from './with-inside.ts'
import { withoutInlining } from './without-inlining.ts'

/** How a statement over several shards is given to Citus. */
export interface SpreadForm {
  readonly plan: PreparedPlan
  /** Why the rows of its tables are brought to one node, which computes the rest; `undefined` where they are not. */
  readonly pulled: string | undefined
  /** Set where the service reads those rows first. */
  readonly gathered?: GatheredPlan
  /** Set for a MERGE or INSERT whose source the service reads first. */
  readonly source?: GatheredSource
  /** Nobody knows yet whether Citus runs it as it is written. */
  readonly untried: boolean
}

/**
 * Remembers which statements Citus answers as they are written. What it would answer otherwise than one PostgreSQL, and
 * what it has refused, is written so that the rows of each table come to one node first.
 */
export class SpreadForms {
  readonly #schema: Schema
  readonly #catalog: Catalog
  readonly #forms = new WeakMap<PreparedPlan, SpreadForm>()
  readonly #placed = new WeakMap<PreparedPlan, PreparedPlan>()

  constructor(schema: Schema, catalog: Catalog) {
    this.#schema = schema
    this.#catalog = catalog
  }

  /** @throws RoutingError CITUS_UNSUPPORTED, UNSUPPORTED_MERGE for what Citus would answer wrongly in any form */
  of(plan: PreparedPlan): SpreadForm {
    let form = this.#forms.get(plan)
    if (form === undefined) {
      refuseCteWrites(plan)
      form = this.#first(plan)
      this.#forms.set(plan, form)
    }
    return form
  }

  /** Runs a statement in its form; where Citus refuses the first, in the other, unless that ended a transaction. */
  async run<T>(plan: PreparedPlan, attempt: (form: SpreadForm) => Promise<T>, again: boolean): Promise<T> {
    const form = this.of(plan)
    if (!form.untried) return await attempt(form)
    try {
      const result = await attempt(form)
      this.#forms.set(plan, { ...form, untried: false })
      return result
    } catch (error) {
      const other = this.afterRefusal(plan, error)
      if (!other || !again) throw error
      try {
        return await attempt(other)
      } catch (second) {
        throw this.isInVain(plan, second) ? error : second
      }
    }
  }

  /**
   * Runs a statement that is in one shard. Citus finds that out by rules of its own, and may refuse what it takes for a
   * statement over all of them (`key is not distinct from 1`).
   */
  async runPlaced<T>(plan: PreparedPlan, attempt: (own: PreparedPlan) => Promise<T>, again: boolean): Promise<T> {
    const known = this.#placed.get(plan)
    if (known) return await attempt(known)
    try {
      return await attempt(plan)
    } catch (error) {
      if (!again || citusRefusal(error) === error) throw error
      const form = this.#pulled(plan, '')
      if (!form || form.gathered || form.source) throw error
      try {
        const result = await attempt(form.plan)
        this.#placed.set(plan, form.plan)
        return result
      } catch (second) {
        throw isOfTheForm(second) ? error : second
      }
    }
  }

  /** The form that is left when Citus has refused the first; `undefined` where it did not, or there is none. */
  afterRefusal(plan: PreparedPlan, error: unknown): SpreadForm | undefined {
    const refusal = citusRefusal(error)
    if (refusal === error || isTooLarge(error)) return undefined
    const form = isCrossShardJoin(plan, refusal) ? undefined : this.#pulled(plan, (refusal as Error).message)
    this.#forms.set(plan, form ?? { ...this.of(plan), untried: false })
    return form
  }

  /** True when the other form has failed for being another: the statement stays as it is written, and is refused. */
  isInVain(plan: PreparedPlan, error: unknown): boolean {
    if (!isOfTheForm(error)) return false
    this.#forms.set(plan, { ...this.#first(plan), untried: false })
    return true
  }

  #first(plan: PreparedPlan): SpreadForm {
    try {
      refuseMissingKeys(plan.root, this.#schema)
      refuseTies(plan.root)
    } catch (refusal) {
      const form = this.#pulled(plan, (refusal as Error).message)
      if (form) return form
      throw refusal
    }
    const root = this.#selectedAlone(withoutInlining(plan.root))
    const untried = !isValuesInsert(plan) && plan.accesses.some((access) => access.kind === 'sharded')
    return { plan: root === plan.root ? plan : withRoot(plan, root), pulled: undefined, untried }
  }

  #pulled(plan: PreparedPlan, reason: string): SpreadForm | undefined {
    const root = pullTables(plan, this.#schema, this.#catalog)
    if (root) return { plan: withRoot(plan, root), pulled: reason, untried: false }
    const gathered = gatherTables(plan, this.#schema, this.#catalog)
    if (gathered) return { plan, pulled: reason, gathered, untried: false }
    const alone = { ...plan, root: this.#selectedAlone(bindClock(plan.root)) }
    const source = gatherSource(alone, this.#schema, this.#catalog)
    return source && { plan, pulled: reason, source, untried: false }
  }

  /** Citus reads the SELECT of an INSERT by itself: there nothing tells the type of a bare parameter, and CTEs go astray. */
  #selectedAlone(root: RootOperationNode): RootOperationNode {
    if (root.kind !== 'InsertQueryNode' || !root.into || !root.values) return root
    const select = bareQuery(root.values)
    if (select.kind !== 'SelectQueryNode') return root
    const { identifier, schema } = root.into.table
    const placement = this.#schema.find(identifier.name, schema?.name)
    const described = placement && this.#catalog.table(placement.schema, placement.table)
    const values = withTypedValues(root, select as SelectQueryNode, described)
    return withInside(values === select ? root : ({ ...root, values } satisfies InsertQueryNode))
  }
}

/** Citus had understood the statement as it was written: a mistake in it now is ours. */
function isOfTheForm(error: unknown): boolean {
  if (isTooLarge(error)) return false
  // 54001: its planner went round and round.
  return citusRefusal(error) !== error || /^(42|54001)/.test(sqlStateOf(error) ?? '')
}

/** A join off the key stays what it is on hash shards: refused, rather than two tables on one node. */
function isCrossShardJoin(plan: PreparedPlan, refusal: unknown): boolean {
  const code = 'CROSS_SHARD_JOIN'
  if ((refusal as { code?: unknown }).code !== code) return false
  try {
    plan.multi()
    return false
  } catch (own) {
    return (own as { code?: unknown }).code === code
  }
}

/** Citus computes the values of all rows where the statement is planned, once. */
export function isValuesInsert({ root }: PreparedPlan): boolean {
  return root.kind === 'InsertQueryNode' && root.values?.kind === 'ValuesNode'
}

function withRoot(plan: PreparedPlan, root: RootOperationNode): PreparedPlan {
  return { ...plan, root, template: compileTemplate(root, plan.parameters) }
}
