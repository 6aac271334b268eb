import type { ExecutionContext, MeasuredStatement } from '../execute/context.ts'
import type { Route } from '../execute/route.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { refuse } from '../plan/refuse.ts'
import type { Explanation, Measured, ShardStatement } from './explanation.ts'

type Draft = Omit<Explanation, 'toString'>

/** Runs the query and adds what was measured. @throws RoutingError UNSUPPORTED_STATEMENT for a write */
export async function measureQuery(
  draft: Draft,
  planned: { readonly plan: PreparedPlan; readonly route: Route; readonly sql: string } | undefined,
  context: ExecutionContext,
): Promise<Draft> {
  if (!planned || planned.plan.access === 'write') {
    return refuse(
      'UNSUPPORTED_STATEMENT',
      'router.explain with analyze would run a statement that may write.',
      'Explain it without analyze; or run query.explain() in a transaction, and roll back.',
    )
  }
  const { plan, route, sql } = planned
  const seen: MeasuredStatement[] = []
  const measuring: ExecutionContext = { ...context, measure: (statement) => seen.push(statement) }
  const start = context.state.clock.monotonicMs()
  const { rows } = await context.state.engine.execute(plan, route, sql, measuring)
  const timeMs = context.state.clock.monotonicMs() - start
  const figuresOf = (part: string | undefined) =>
    new Map(
      seen
        .filter((statement) => statement.role === 'part' && statement.part === part)
        .map((statement) => [
          context.state.topology.shards[statement.shard]?.id ?? '',
          { rows: statement.rows, timeMs: statement.timeMs },
        ]),
    )
  const combined = seen.filter((statement) => statement.role === 'combine' && statement.part === undefined)
  return {
    ...draft,
    measured: { rows: rows.length, timeMs },
    before: draft.before.map((own) => ({
      ...own,
      statements: withFigures(own.statements, figuresOf(own.part.replace(/^read /, ''))),
    })),
    statements: withFigures(draft.statements, figuresOf(undefined)),
    merge: [
      ...draft.merge,
      ...combined.map(({ rows: count, timeMs: own }) => `PostgreSQL combined: ${count} rows in ${own.toFixed(1)} ms`),
    ],
  }
}

function withFigures(
  statements: readonly ShardStatement[],
  figures: ReadonlyMap<string, Measured>,
): readonly ShardStatement[] {
  return statements.map((statement) => {
    const measured = figures.get(statement.shard)
    return measured ? { ...statement, measured } : statement
  })
}
