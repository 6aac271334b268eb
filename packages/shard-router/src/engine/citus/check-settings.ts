import { RoutingError } from '../../errors/routing-error.ts'
import type { AnyShardPool } from '../../pool/shard-pool.ts'
import { coordinatorOf } from './cluster-reader.ts'

/** What a session of the router has, and what a session between two nodes has by default. */
const settings = ['TimeZone', 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output'] as const

const ownSql = `select ${settings.map((name) => `current_setting('${name}') as "${name}"`).join(', ')}`
const nodesSql = `select node.nodename || ':' || node.nodeport as name, answer.result
 from run_command_on_all_nodes($command$
   select json_build_object(${settings.map((name) => `'${name}', current_setting('${name}')`).join(', ')},
     'encoding', current_setting('server_encoding'), 'collate', datcollate, 'ctype', datctype)
   from pg_catalog.pg_database where datname = current_database() $command$) as answer
 join pg_catalog.pg_dist_node as node using (nodeid) where answer.success order by node.groupid, node.nodeid`

type Settings = Readonly<Record<string, string>>

/**
 * Citus runs parts of a query in sessions of its own between nodes, which do not inherit the settings of the caller's: a
 * day would begin at another hour, or a date be written otherwise, depending on where the row is.
 * @throws RoutingError CITUS_SETTINGS_DIFFER
 */
export async function checkNodeSettings(pool: AnyShardPool): Promise<void> {
  const connection = coordinatorOf(pool)
  const { rows: own } = await connection.query<Settings>(ownSql)
  const { rows: nodes } = await connection.query<{ name: string; result: string }>(nodesSql)
  const [first] = nodes
  for (const { name, result } of nodes) {
    const found = JSON.parse(result) as Settings
    for (const setting of settings) refuseDifference(setting, own[0]?.[setting], found[setting], name)
    const reference = JSON.parse(first?.result ?? '{}') as Settings
    for (const setting of ['encoding', 'collate', 'ctype']) {
      refuseDifference(setting, reference[setting], found[setting], name)
    }
  }
}

function refuseDifference(
  setting: string,
  expected: string | undefined,
  found: string | undefined,
  node: string,
): void {
  if (expected === undefined || sameSetting(expected, found)) return
  const isFixed = ['encoding', 'collate', 'ctype'].includes(setting)
  throw new RoutingError({
    code: 'CITUS_SETTINGS_DIFFER',
    message: `Citus node ${node} has ${setting} '${found}' in the sessions between nodes, where '${expected}' is needed.`,
    hint: isFixed
      ? 'Create the databases of all nodes with the same encoding and locale.'
      : `On the coordinator, which passes it on: ALTER DATABASE ... SET ${setting} = '${expected}' (or, for the time zone, set pool.timeZone of the router).`,
    details: { setting, expected, found, node },
  })
}

const utc = /^(etc\/)?(utc|uct|universal|zulu)$/i

function sameSetting(a: string, b: string | undefined): boolean {
  return a === b || (b !== undefined && utc.test(a) && utc.test(b))
}
