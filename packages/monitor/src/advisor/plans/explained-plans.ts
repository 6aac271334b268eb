import type { FleetConnection } from '@shardwright/core'
import { slowStatements } from '../../collect/slow-statements.ts'
import { statementsView } from '../../collect/statements-view.ts'
import { byObject, defineAdvisor } from '../advisor.ts'
import { type PlanFinding, type PlanNode, readPlan } from './read-plan.ts'

interface Explained {
  readonly text: string
  readonly finding: PlanFinding
}

const explainedStatements = 30
const largeRows = 10_000

/**
 * Plans of the statements with the most total time: EXPLAIN (GENERIC_PLAN), which runs nothing, needs no parameters and
 * PostgreSQL 16. A statement that cannot be explained so is left out.
 */
export const explainedPlans = defineAdvisor<readonly Explained[]>({
  name: 'explained-plans',
  topic: 'plans',
  async gather(connection) {
    if (!(await canExplain(connection))) return []
    const rowsOf = await readRows(connection)
    const found: Explained[] = []
    for (const { text } of await slowStatements(connection, explainedStatements)) {
      const plan = await explain(connection, text)
      if (plan) for (const finding of readPlan(plan, { rowsOf, largeRows })) found.push({ text, finding })
    }
    return found
  },
  judge: (read) =>
    [...byObject(read, ({ text, finding }) => JSON.stringify([text, finding.kind, finding.table]))].map(([, seen]) => {
      const { text, finding } = seen[0]!.row
      return {
        severity: finding.kind === 'nested-loop' ? 'warning' : 'advice',
        shards: [...new Set(seen.map(({ shard }) => shard))],
        object: finding.table,
        ...describe(finding, text.replace(/\s+/g, ' ').trim().slice(0, 80)),
      }
    }),
})

function describe(finding: PlanFinding, text: string): { readonly message: string; readonly remedy: string } {
  if (finding.kind === 'nested-loop') {
    return {
      message: `${finding.table} is read whole for each of about ${Math.round(finding.outerRows)} rows: ${text}`,
      remedy: `Index the columns of ${finding.table} that the statement joins on.`,
    }
  }
  const columns = finding.columns.join(', ')
  return {
    message: `${finding.table} is read whole for ${finding.filter}: ${text}`,
    remedy:
      columns === ''
        ? `Index what the statement searches ${finding.table} by.`
        : `CREATE INDEX CONCURRENTLY ON ${finding.table} (${columns})`,
  }
}

async function canExplain(connection: FleetConnection): Promise<boolean> {
  const { rows } = await connection.query<{ number: number }>(
    "select current_setting('server_version_num')::int as number",
  )
  return (rows[0]?.number ?? 0) >= 160_000 && (await statementsView(connection)) !== undefined
}

async function readRows(connection: FleetConnection): Promise<ReadonlyMap<string, number>> {
  const { rows } = await connection.query<{ name: string; rows: number }>(
    `select n.nspname || '.' || c.relname as name, c.reltuples::float8 as rows
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm') and c.reltuples > 0`,
  )
  return new Map(rows.map(({ name, rows: count }) => [name, count]))
}

/** By the simple protocol: the placeholders stay what they are. Read only, and taken back. */
async function explain(connection: FleetConnection, text: string): Promise<PlanNode | undefined> {
  await connection.script('begin read only')
  try {
    const { rows } = await connection.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
      `explain (generic_plan, verbose, format json) ${text}`,
    )
    return rows[0]?.['QUERY PLAN'][0]?.Plan
  } catch {
    // Placeholders whose type nothing tells, a table that is gone, a text that was cut.
    return undefined
  } finally {
    await connection.script('rollback')
  }
}
