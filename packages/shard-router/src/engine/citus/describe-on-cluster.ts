import type { RouterState } from '../../execute/context.ts'
import type { Route, ShardPlace } from '../../execute/route.ts'
import type { CitusShardName, Explanation } from '../../explain/explanation.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'
import { coordinatorOf } from './cluster-reader.ts'
import type { CoordinatorNeed } from './coordinator-needs.ts'
import type { SpreadForm } from './spread-forms.ts'

/** What a description is made of besides the statement. */
export interface DescribedCluster {
  readonly state: RouterState
  readonly map: ClusterMap
  readonly need: CoordinatorNeed | undefined
  /** How a statement over several shards is given to Citus. */
  readonly form: SpreadForm | undefined
  /** Its rows may be read from the shard's own table. */
  readonly ownTable: boolean
}

/** The node, the shard and why: in the words of Citus. */
export async function describeOnCluster(
  plan: PreparedPlan,
  route: Route,
  cluster: DescribedCluster,
): Promise<Partial<Explanation>> {
  const { map, form } = cluster
  const [server] = route.shards
  if (server === undefined) {
    const sharded = plan.accesses.some((access) => access.kind === 'sharded')
    return sharded ? {} : { reason: 'every node has these tables' }
  }
  if (route.place) return await describePlace(plan, route.place, server, cluster)
  const sharded = plan.accesses.some((access) => access.kind === 'sharded')
  if (!sharded) return { reason: 'the coordinator has these tables, or writes every copy of them' }
  const reason =
    route.keyless.length > 0
      ? `no shard key for ${route.keyless.map((name) => `'${name}'`).join(', ')}: Citus asks every shard`
      : 'the shard keys are in several shards'
  const merge = form?.pulled
    ? [howPulled(form), `because: ${form.pulled}`]
    : [`Citus plans it on the coordinator, over ${map.width} nodes`]
  return { kind: kindOf(plan), reason, merge }
}

function howPulled({ gathered, source }: SpreadForm): string {
  if (source) return 'the rows of the source are read first, and given to the write'
  if (gathered) return 'the rows that each table gives are read first, and given to the rest'
  return 'the rows that each table gives are brought to one node, which computes the rest'
}

async function describePlace(
  plan: PreparedPlan,
  place: ShardPlace,
  server: number,
  { state, map, need, ownTable }: DescribedCluster,
): Promise<Partial<Explanation>> {
  const citusShards = await shardNames(plan, place, state)
  const home = map.serverOf(place)
  const node = home === undefined ? 'a node that is not asked directly' : `node ${map.servers.shards[home]?.id}`
  const names = citusShards.map(({ name }) => name).join(', ')
  const passed = server === coordinator && home !== coordinator
  const why = need ? need.reason : 'the node is not asked directly now'
  const way = passed ? `; by way of the coordinator, as ${why}` : ownTable ? "; read from the shard's own table" : ''
  const reason = `the shard keys are in ${names} on ${node}${way}`
  return { kind: 'one', reason, citusShards }
}

async function shardNames(plan: PreparedPlan, { group, ordinal }: ShardPlace, state: RouterState) {
  const tables = plan.accesses.flatMap((access) => (access.kind === 'sharded' ? [access.table] : []))
  const { rows } = await coordinatorOf(state.pool).query<{ n: number; id: string; name: string }>(
    `select given.n::int as n, shard.shardid::text as id, relation.relname || '_' || shard.shardid as name
     from unnest($1::text[], $2::text[]) with ordinality as given (schema_name, table_name, n)
     join pg_catalog.pg_namespace as namespace on namespace.nspname = given.schema_name
     join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid and relation.relname = given.table_name
     join pg_catalog.pg_dist_shard as shard on shard.logicalrelid = relation.oid
     where shard.shardminvalue = $3::text order by given.n`,
    [tables.map(({ schema }) => schema), tables.map(({ table }) => table), String(group.shards[ordinal]?.min)],
  )
  const found = rows.map(
    ({ n, id, name }): CitusShardName => ({ table: tables[n - 1]?.name ?? '', id: Number(id), name }),
  )
  return [...new Map(found.map((shard) => [shard.id, shard])).values()]
}

function kindOf(plan: PreparedPlan): Explanation['kind'] {
  if (plan.kind === 'select') return 'fan-out'
  return plan.kind === 'insert' ? 'split' : 'broadcast'
}
