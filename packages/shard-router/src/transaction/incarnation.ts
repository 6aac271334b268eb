/** `system_identifier:timeline` of the server that answers, as commit tokens have it. */
export const incarnationSql = `(select system_identifier::text from pg_catalog.pg_control_system()) || ':' ||
 pg_catalog.lower(pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))`
