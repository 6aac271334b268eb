/**
 * Nodes, tables and shard ranges of the cluster as one JSON value, so that they are of one snapshot. Shards are read of one
 * table per co-location group: all others of the group have the same ranges at the same places.
 */
export const citusMetadataSql = `
select json_build_object(
  'version', (select extversion from pg_catalog.pg_extension where extname = 'citus'),
  'nodes', (
    select coalesce(json_agg(json_build_object(
      'nodeId', nodeid, 'groupId', groupid, 'host', nodename, 'port', nodeport, 'role', noderole, 'cluster', nodecluster,
      'active', isactive, 'metadataSynced', hasmetadata and metadatasynced, 'shouldHaveShards', shouldhaveshards)
      order by groupid, noderole, nodeid), '[]')
    from pg_catalog.pg_dist_node),
  'tables', (
    select coalesce(json_agg(json_build_object(
      'schema', namespace.nspname, 'table', relation.relname, 'method', entry.partmethod,
      'column', attribute.attname, 'columnType', type.typname, 'colocationId', entry.colocationid,
      'replicationModel', entry.repmodel, 'isPartition', relation.relispartition)
      order by namespace.nspname, relation.relname), '[]')
    from pg_catalog.pg_dist_partition as entry
    join pg_catalog.pg_class as relation on relation.oid = entry.logicalrelid
    join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
    left join pg_catalog.pg_attribute as attribute
      on entry.partkey is not null and attribute.attrelid = relation.oid
      and attribute.attname = pg_catalog.column_to_column_name(entry.logicalrelid, entry.partkey)
    left join pg_catalog.pg_type as type on type.oid = attribute.atttypid),
  'groups', (
    select coalesce(json_agg(json_build_object(
      'colocationId', colocation.colocationid, 'replicationFactor', colocation.replicationfactor, 'shards', (
        select coalesce(json_agg(json_build_object('min', shard.shardminvalue::int, 'max', shard.shardmaxvalue::int, 'groupIds', (
          select coalesce(json_agg(placement.groupid order by placement.placementid), '[]')
          from pg_catalog.pg_dist_placement as placement
          where placement.shardid = shard.shardid and placement.shardstate = 1))
          order by shard.shardminvalue::int), '[]')
        from pg_catalog.pg_dist_shard as shard
        where shard.logicalrelid = (
          select min(entry.logicalrelid::oid) from pg_catalog.pg_dist_partition as entry
          where entry.colocationid = colocation.colocationid and entry.partmethod in ('h', 'n'))))
      order by colocation.colocationid), '[]')
    from pg_catalog.pg_dist_colocation as colocation)
) as metadata`
