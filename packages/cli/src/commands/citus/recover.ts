import { onCoordinator } from '../../citus/coordinator.ts'
import { exitCode } from '../../output/exit-code.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'

/**
 * `transactions recover` on a Citus cluster: Citus' own recovery at once, which it also runs by itself every
 * `citus.recover_2pc_interval`. A prepared transaction is committed when its coordinator has a record of it.
 */
export const citusRecover: Command = (context) =>
  onCoordinator(context, async ({ connection }) => {
    const { rows } = await connection.query<{ recovered: number }>(
      'select recover_prepared_transactions() as recovered',
    )
    const left = await connection.query<{ node: string; gid: string }>(
      `select n.nodename || ':' || n.nodeport as node, gid from pg_dist_node n
       cross join lateral unnest(string_to_array((select result from run_command_on_all_nodes(
         $$select coalesce(string_agg(gid, ','), '') from pg_prepared_xacts where database = current_database()
           and prepared < now() - interval '2 minutes'$$, give_warning_for_connection_errors := true) r
         where r.nodeid = n.nodeid and r.success), ',')) as gid
       where gid <> ''`,
    )
    const recovered = rows[0]?.recovered ?? 0
    const lines = [
      ...left.rows.map(({ node, gid }) => `${node}: ${gid} is left, older than two minutes`),
      `${recovered} ended, ${left.rows.length} left.`,
    ]
    return {
      data: { recovered, left: left.rows },
      render: (width) => lines.map((line) => wrap(line, width, '  ')).join('\n'),
      exitCode: left.rows.length > 0 ? exitCode.found : exitCode.ok,
    }
  })
