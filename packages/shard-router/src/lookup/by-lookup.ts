import type { QueryResult } from 'kysely'
import { RoutingError } from '../errors/routing-error.ts'
import type { ExecutionContext } from '../execute/context.ts'
import { routeAccesses } from '../execute/route.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { refuse } from '../plan/refuse.ts'
import type { CallValues } from '../plan/source.ts'
import { keepLookups } from './keep-lookups.ts'
import { preparedGone } from './prepared-gone.ts'
import { entriesReader, type ResolvedLookups, resolveLookups } from './resolve-lookups.ts'

const mostAttempts = 5

type Run = (context: ExecutionContext) => Promise<QueryResult<unknown>>

/**
 * Runs a statement that finds its shards by lookup, or that changes what lookups hold, or both.
 *
 * Between the reading of an entry and the statement the row may have moved to another key. So the entries are read again
 * afterwards, unless the answer proves itself, and the statement runs anew where they changed.
 * @throws RoutingError LOOKUP_NEEDS_ATOMIC, LOOKUP_CHANGED
 */
export async function executeByLookup(
  plan: PreparedPlan,
  context: ExecutionContext,
  run: Run,
): Promise<QueryResult<unknown>> {
  if (plan.changesLookups) refuseOneShard(context)
  const asks = plan.lookups.length > 0 && routeAccesses(plan.accesses, context.call, context.state).keyless.length > 0
  if (!asks) return await kept(plan, context, run)
  if (context.transaction) return await kept(plan, context, (own) => repeated(plan, own, run))
  // A write of several values must be undone where one of them turns out to have moved.
  const undoable = plan.access === 'write' && !isSingle(plan)
  if (!undoable) return await repeated(plan, context, (own) => kept(plan, own, run))
  for (let attempt = 1; ; attempt++) {
    try {
      return await context.atomically((transaction) =>
        kept(plan, within(context, transaction), (own) => repeated(plan, own, run)),
      )
    } catch (error) {
      if (!isChanged(error) || attempt === mostAttempts) throw error
    }
  }
}

/** The call with what its lookups say now; for statements that are not run here (streams, explain). */
export async function withLookups(plan: PreparedPlan, context: ExecutionContext): Promise<CallValues> {
  const { call } = context
  if (routeAccesses(plan.accesses, call, context.state).keyless.length === 0) return call
  return { ...call, lookups: await resolve(plan, context) }
}

async function repeated(plan: PreparedPlan, context: ExecutionContext, run: Run): Promise<QueryResult<unknown>> {
  let resolved = await resolve(plan, context)
  let settled = false
  for (let attempt = 1; ; attempt++) {
    const own = { ...context, call: { ...context.call, lookups: resolved } }
    const result = await run(own)
    if (isCertain(plan, resolved, result)) return result
    const looksMissing = isSingle(plan) && isEmpty(result) && !resolved.empty
    if (looksMissing) await preparedGone(context.state, shardsOf(plan, own, resolved))
    const now = await resolve(plan, context)
    const same = now.equals(resolved)
    // The first time its part of a move may have come late, the second time that of the next one may have come early.
    if (same && (settled || !looksMissing)) return result
    if (plan.access === 'write' && !isEmpty(result)) throw changed()
    if (attempt === mostAttempts) throw changed()
    settled = same
    resolved = now
  }
}

function shardsOf(plan: PreparedPlan, context: ExecutionContext, resolved: ResolvedLookups): ReadonlySet<number> {
  return new Set([...routeAccesses(plan.accesses, context.call, context.state).shards, ...resolved.shards])
}

async function resolve(plan: PreparedPlan, context: ExecutionContext): Promise<ResolvedLookups> {
  const { state, transaction, call } = context
  return await resolveLookups(plan.lookups, call, state, entriesReader(state, transaction))
}

/** What a statement did to lookups belongs to its own transaction. */
async function kept(plan: PreparedPlan, context: ExecutionContext, run: Run): Promise<QueryResult<unknown>> {
  if (!plan.changesLookups) return await run(context)
  return await context.atomically(async (transaction) => {
    const own = within(context, transaction)
    const result = await run(own)
    const { shards } = routeAccesses(plan.accesses, own.call, own.state)
    try {
      await keepLookups(transaction, written(plan, shards, transaction.shards), own.state)
    } catch (error) {
      throw conflictError(plan, error)
    }
    return result
  })
}

/** The shards that the statement may have changed. */
function written(plan: PreparedPlan, routed: readonly number[], joined: readonly number[]): readonly number[] {
  // Rows of INSERT ... SELECT go where their keys are.
  const anywhere = routed.length > 1 && plan.kind === 'insert'
  return anywhere ? joined : joined.filter((shard) => routed.includes(shard))
}

function within(
  context: ExecutionContext,
  transaction: NonNullable<ExecutionContext['transaction']>,
): ExecutionContext {
  return { ...context, transaction, atomically: (work) => work(transaction) }
}

/** Only values of one unique lookup: a row that was found is all there is to find. */
function isSingle({ lookups }: PreparedPlan): boolean {
  const [only] = lookups
  return lookups.length === 1 && only?.lookup.unique === true
}

function isCertain(plan: PreparedPlan, resolved: ResolvedLookups, result: QueryResult<unknown>): boolean {
  if (!isSingle(plan) || resolved.values !== 1 || isEmpty(result)) return false
  return plan.access === 'write' || plan.emptyWithoutKeys()
}

function isEmpty({ rows, numAffectedRows }: QueryResult<unknown>): boolean {
  return rows.length === 0 && (numAffectedRows ?? 0n) === 0n
}

function refuseOneShard({ transaction }: ExecutionContext): void {
  if (!transaction || transaction.spansShards) return
  refuse(
    'LOOKUP_NEEDS_ATOMIC',
    'The statement changes rows that a lookup leads to, and the transaction is on one shard.',
    "Use router.transaction({ crossShard: 'atomic' }), or run the statement outside the transaction.",
  )
}

function changed(): RoutingError {
  return new RoutingError({
    code: 'LOOKUP_CHANGED',
    message: 'Rows that the statement found by lookup moved to other keys while it ran.',
    hint: 'Try again.',
  })
}

function isChanged(error: unknown): boolean {
  return error instanceof RoutingError && error.code === 'LOOKUP_CHANGED'
}

/** ON CONFLICT sees the rows of its own shard only. */
function conflictError(plan: PreparedPlan, error: unknown): unknown {
  const { onConflict } = plan.root as { readonly onConflict?: { readonly columns?: readonly ColumnName[] } }
  const { code, lookup, shard } = error as { code?: unknown; lookup?: unknown; shard?: unknown }
  if (onConflict === undefined || code !== '23505' || lookup === undefined) return error
  const asked = onConflict.columns?.map(({ column }) => column.name)
  if (asked?.length && !asked.includes((error as { lookupColumn?: string }).lookupColumn ?? '')) return error
  return new RoutingError({
    code: 'LOOKUP_CONFLICT',
    message: `A value of the lookup '${lookup}' stands in a row of another key, which ON CONFLICT cannot reach.`,
    hint: 'Look the value up first, and update or skip the row that has it.',
    details: { lookup, sqlState: '23505', shard },
    cause: error,
  })
}

interface ColumnName {
  readonly column: { readonly name: string }
}
