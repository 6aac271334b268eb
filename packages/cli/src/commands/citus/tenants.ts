import { onCoordinator } from '../../citus/coordinator.ts'
import { readTenants, type Tenant } from '../../citus/tenants.ts'
import { renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command, CommandContext } from '../../run/command.ts'
import { wholeNumber } from '../migrate.ts'

export interface TenantsOptions {
  readonly limit?: string
  readonly track?: 'on' | 'off'
}

/** The busiest keys, by `citus_stat_tenants`; or turns that count on or off. */
export const tenants: Command<TenantsOptions> = async (context, options) =>
  options.track === undefined
    ? await show(context, wholeNumber('--limit', options.limit ?? '20'))
    : await track(context, options.track)

function show(context: CommandContext, limit: number) {
  return onCoordinator(context, async ({ opened, connection }) => {
    const { rows } = await connection.query<{ track: string }>(
      `select current_setting('citus.stat_tenants_track') as track`,
    )
    const tracked = rows[0]?.track === 'all'
    const found = await readTenants(connection, limit)
    const groups = await connection.query<{ id: number; table: string; schema: string }>(
      `select p.colocationid as id, c.relname as "table", n.nspname as schema from pg_dist_partition p
       join pg_class c on c.oid = p.logicalrelid join pg_namespace n on n.oid = c.relnamespace where p.partmethod = 'h'`,
    )
    const families = new Map(
      groups.rows.flatMap(({ id, table, schema }) => {
        const placement = opened.schema.find(table, schema)
        return placement?.kind === 'sharded' ? [[id, placement.family] as const] : []
      }),
    )
    const data = found.map((tenant) => ({ family: families.get(tenant.colocationId) ?? null, ...tenant }))
    return { data: { tracked, tenants: data }, render: (width: number) => renderTenants(data, tracked, width) }
  })
}

function track(context: CommandContext, track: 'on' | 'off') {
  return onCoordinator(context, async ({ connection }) => {
    await context.confirm(`Set citus.stat_tenants_track on every node to ${track === 'on' ? 'all' : 'none'}?`)
    const setting = `alter system set citus.stat_tenants_track to '${track === 'on' ? 'all' : 'none'}'`
    const failed: string[] = []
    for (const command of [setting, 'select pg_reload_conf()']) {
      const { rows } = await connection.query<{ success: boolean; result: string }>(
        'select success, result from run_command_on_all_nodes($1)',
        [command],
      )
      failed.push(...rows.filter((row) => !row.success).map((row) => row.result))
    }
    return {
      data: { track, failed },
      exitCode: failed.length > 0 ? 1 : 0,
      render: (width: number) => wrap(failed.length > 0 ? failed.join('\n') : `Tenants are counted: ${track}.`, width),
    }
  })
}

function renderTenants(
  tenants: readonly (Tenant & { readonly family: string | null })[],
  tracked: boolean,
  width: number,
): string {
  const hint = 'Keys are not counted: `shardwright citus tenants --track on` begins.'
  if (tenants.length === 0) return tracked ? 'No key had a statement lately.' : hint
  const table = renderTable(
    tenants,
    [
      { title: 'family', of: (tenant) => tenant.family, shrinks: true },
      { title: 'key', of: (tenant) => tenant.key, shrinks: true },
      { title: 'node', of: (tenant) => tenant.node, shrinks: true },
      { title: 'queries', of: (tenant) => tenant.queriesNow, align: 'right' },
      { title: 'before', of: (tenant) => tenant.queriesBefore, align: 'right' },
      { title: 'reads', of: (tenant) => tenant.readsNow, align: 'right' },
      { title: 'cpu s', of: (tenant) => tenant.cpuSecondsNow.toFixed(3), align: 'right' },
    ],
    width,
  )
  return tracked ? table : `${table}\n\n${hint}`
}
