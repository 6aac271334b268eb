import { type SlowStatement, slowStatements } from '../../collect/slow-statements.ts'
import { statementsView } from '../../collect/statements-view.ts'
import { byObject, defineAdvisor } from '../advisor.ts'

const slowMs = 200
const fewestCalls = 5
const listed = 5

/** Statements that are slow on average, over all shards; without pg_stat_statements that it is missing. */
export const slowStatementsAdvice = defineAdvisor<readonly SlowStatement[] | undefined>({
  name: 'slow-statements',
  topic: 'statements',
  gather: async (connection) =>
    (await statementsView(connection)) ? await slowStatements(connection, 200) : undefined,
  judge(read) {
    const blind = read.filter(({ facts }) => facts === undefined).map(({ shard }) => shard)
    const known = read.map(({ shard, facts }) => ({ shard, facts: facts ?? [] }))
    const slow = [...byObject(known, ({ text }) => text)]
      .map(([text, seen]) => {
        const calls = seen.reduce((sum, { row }) => sum + row.calls, 0)
        const totalMs = seen.reduce((sum, { row }) => sum + row.totalMs, 0)
        return { text: text.replace(/\s+/g, ' ').trim(), calls, totalMs, shards: seen.map(({ shard }) => shard) }
      })
      .filter(({ calls, totalMs }) => calls >= fewestCalls && totalMs / calls > slowMs)
      .toSorted((a, b) => b.totalMs - a.totalMs)
      .slice(0, listed)
    return [
      ...(blind.length > 0 ? [notInstalled(blind)] : []),
      ...slow.map(({ text, calls, totalMs, shards }) => ({
        severity: 'advice' as const,
        shards,
        object: text,
        message: `${Math.round(totalMs / calls)} ms on average, ${calls} times: ${text.slice(0, 100)}`,
        remedy: 'Look at its plan with EXPLAIN (ANALYZE, BUFFERS) on that shard.',
      })),
    ]
  },
})

function notInstalled(shards: readonly string[]) {
  return {
    severity: 'advice' as const,
    shards,
    object: 'pg_stat_statements',
    message: 'pg_stat_statements is not installed: slow statements are not seen',
    remedy: "shared_preload_libraries = 'pg_stat_statements' (restart), then CREATE EXTENSION pg_stat_statements",
  }
}
