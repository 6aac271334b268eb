/**
 * SQL that makes the schema of Shardwright's own tables where it is missing. CREATE SCHEMA IF NOT EXISTS asks for the right to
 * create schemas also where there is nothing to create, and fails (23505) when another session creates it at the same moment.
 */
export const createOwnSchema = `do $$ begin
  if pg_catalog.to_regnamespace('shardwright') is null then create schema if not exists shardwright; end if;
exception when unique_violation then null; end $$`
