import type pg from 'pg'

export async function moveOneShard(admin: pg.Client, mode: string): Promise<void> {
  const { rows } = await admin.query(
    `select shardid, source.nodename as host, source.nodeport as port, target.nodename as to_host, target.nodeport as to_port
     from pg_dist_shard join pg_dist_placement using (shardid) join pg_dist_node as source using (groupid)
     join pg_dist_node as target on target.groupid <> source.groupid and target.shouldhaveshards
     where logicalrelid = 'wallets'::regclass order by random() limit 1`,
  )
  const { shardid, host, port, to_host, to_port } = rows[0]
  await admin.query('select citus_move_shard_placement($1, $2, $3, $4, $5, $6)', [
    shardid,
    host,
    port,
    to_host,
    to_port,
    mode,
  ])
}

export async function isolateTenant(admin: pg.Client, tenant: number): Promise<void> {
  await admin.query("select isolate_tenant_to_new_shard('wallets', $1::int, 'CASCADE', 'block_writes')", [tenant])
}

/**
 * By logical replication, to the other node: where a part stays on its node Citus 13.2 sends it changes without its key
 * and waits for ever, as soon as a row is changed meanwhile.
 */
export async function isolateTenantOnline(admin: pg.Client, tenant: number): Promise<void> {
  await admin.query(
    `select citus_split_shard_by_split_points(shardid,
       array(select point::text from unnest(array[hash - 1, hash]) as point
             where point >= shardminvalue::int and point < shardmaxvalue::int),
       array_fill(target.nodeid, array[1 + (hash > shardminvalue::int)::int + (hash < shardmaxvalue::int)::int]),
       'force_logical')
     from hashint4($1) as hash
     join pg_dist_shard on hash between shardminvalue::int and shardmaxvalue::int
     join pg_dist_placement using (shardid)
     cross join lateral (select nodeid from pg_dist_node as other
       where other.groupid <> pg_dist_placement.groupid and other.shouldhaveshards order by random() limit 1) as target
     where logicalrelid = 'wallets'::regclass`,
    [tenant],
  )
}

/** Servers that have a list of libraries that may decode their log need Citus' own in it for online splits. */
export async function allowDecoding(admin: pg.Client): Promise<void> {
  await admin.query(`select run_command_on_all_nodes($command$ do $do$ begin
    if exists (select from pg_settings where name = 'output_plugin_libraries') then
      execute format('alter database %I set output_plugin_libraries = pgoutput, citus', current_database());
    end if;
  end $do$ $command$)`)
}
