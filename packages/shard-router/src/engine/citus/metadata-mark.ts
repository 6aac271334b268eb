/**
 * A text that changes when shards are moved, split, made or dropped, and when nodes or co-location change, and when the
 * count of keys is turned on: cheap enough to be asked for every second. Every move gives its placements new ids.
 */
export const metadataMarkSql = `
select concat_ws(':',
  (select coalesce(max(placementid), 0) from pg_catalog.pg_dist_placement),
  (select max(shardid) from pg_catalog.pg_dist_shard),
  (select md5(string_agg(concat_ws(' ', nodeid, groupid, nodename, nodeport, noderole, isactive, hasmetadata and metadatasynced),
    ',' order by nodeid)) from pg_catalog.pg_dist_node),
  (select md5(string_agg(concat_ws(' ', logicalrelid::oid, colocationid), ',' order by logicalrelid))
    from pg_catalog.pg_dist_partition),
  coalesce(current_setting('citus.stat_tenants_track', true), 'none')) as mark`
