import type { FleetConnection } from '@shardwright/core'
import { wrapServerError } from '../errors/failure.ts'
import { invalid, ViewError } from '../errors/view-error.ts'
import type { InstallOutcome } from '../install/install-views.ts'
import { inTransaction } from '../sql/in-transaction.ts'
import { fitName, identifier, literal } from '../sql/quote.ts'
import { refuseDistributed } from '../state/distributed-table.ts'
import { noteInstalled, readRegistry } from '../state/registry.ts'
import type { Rollup } from './rollup.ts'
import { bucketSql, sourceOf, summarySql, tableOf } from './rollup-sql.ts'

/**
 * Creates the summary table and the trigger that notes changed buckets, and notes every bucket there is. All in one
 * transaction that keeps writers of the source out, so that no change falls between.
 */
export async function installRollup(connection: FleetConnection, rollup: Rollup): Promise<InstallOutcome> {
  const known = (await readRegistry(connection)).find(
    (row) => row.schema_name === rollup.schema && row.name === rollup.name,
  )
  if (known?.definition_hash === rollup.hash) return 'unchanged'
  if (known) {
    throw new ViewError({
      code: 'VIEW_INVALID',
      message: `The rollup '${rollup.name}' has another definition on the shard ${connection.shardId}; a summary whose raw rows may be gone is never rebuilt.`,
      hint: 'Give the new definition a new name, and drop the old one when nobody reads it.',
      details: { rollup: rollup.name, shard: connection.shardId },
    })
  }
  try {
    await inTransaction(connection, () => create(connection, rollup))
  } catch (error) {
    throw wrapServerError(error, `creating the rollup ${rollup.name} on the shard ${connection.shardId}`)
  }
  return 'created'
}

async function create(connection: FleetConnection, rollup: Rollup): Promise<void> {
  await refuseDistributed(connection, sourceOf(rollup), `The rollup ${rollup.name}`)
  await connection.script('set local lock_timeout to 5000')
  await connection.query(`lock table ${sourceOf(rollup)} in share row exclusive mode`)
  await checkTime(connection, rollup)
  await connection.query(`create table ${tableOf(rollup)} as ${summarySql(rollup, 'false')}`)
  const columns = [...rollup.keys.map(identifier), 'bucket'].join(', ')
  const index = identifier(fitName(`${rollup.name}_key`))
  await connection.query(`create unique index ${index} on ${tableOf(rollup)} (${columns}) nulls not distinct`)
  await keepNotNull(connection, rollup)
  await connection.script(triggerSql(rollup))
  await connection.query(
    `insert into shardwright.rollup_changes
     select distinct $1, $2, ${bucketSql(rollup, identifier(rollup.time))} from ${sourceOf(rollup)}`,
    [rollup.schema, rollup.name],
  )
  await noteInstalled(connection, rollup, null)
}

/** A key that is never null in the source is none here: a shard key has to say so. */
async function keepNotNull(connection: FleetConnection, rollup: Rollup): Promise<void> {
  const { rows } = await connection.query<{ name: string }>(
    'select attname as name from pg_attribute where attrelid = $1::regclass and attname = any($2) and attnotnull',
    [sourceOf(rollup), rollup.keys],
  )
  const changes = ['bucket', ...rows.map(({ name }) => name)].map(
    (name) => `alter column ${identifier(name)} set not null`,
  )
  await connection.query(`alter table ${tableOf(rollup)} ${changes.join(', ')}`)
}

/** Only a timestamptz is in the same bucket whatever zone the session has. */
async function checkTime(connection: FleetConnection, rollup: Rollup): Promise<void> {
  const { rows } = await connection.query<{ type: string; notNull: boolean }>(
    `select format_type(atttypid, null) as type, attnotnull as "notNull"
       from pg_attribute where attrelid = $1::regclass and attname = $2 and not attisdropped`,
    [sourceOf(rollup), rollup.time],
  )
  const [column] = rows
  if (column?.type === 'timestamp with time zone' && column.notNull) return
  const found = column ? `is ${column.type}${column.notNull ? '' : ' and may be null'}` : 'does not exist'
  throw invalid(
    `${rollup.source}.${rollup.time} has to be timestamptz NOT NULL for the rollup '${rollup.name}'; it ${found}.`,
  )
}

/**
 * A row trigger, since PostgreSQL clones those to every partition: rows that are written to a partition directly are seen
 * too, and DROP, DETACH and TRUNCATE fire nothing. A transaction notes a bucket once.
 */
function triggerSql(rollup: Rollup): string {
  const name = identifier(fitName(`rollup_${rollup.schema}_${rollup.name}`))
  const setting = literal(`shardwright.rollup_${rollup.hash.slice(0, 16)}`)
  const time = identifier(rollup.time)
  const names = `${literal(rollup.schema)}, ${literal(rollup.name)}`
  const note = (row: string) => `
      changed := ${bucketSql(rollup, `${row}.${time}`)};
      mark := pg_current_xact_id()::text || ' ' || extract(epoch from changed)::text;
      if coalesce(current_setting(${setting}, true), '') <> mark then
        insert into shardwright.rollup_changes values (${names}, changed);
        perform set_config(${setting}, mark, true);
      end if;`
  return `
    create or replace function shardwright.${name}() returns trigger language plpgsql security definer
      set search_path to pg_catalog, pg_temp as $body$
    declare changed timestamptz; mark text;
    begin
      if tg_op <> 'INSERT' then ${note('old')} end if;
      if tg_op <> 'DELETE' then ${note('new')} end if;
      return null;
    end $body$;
    create trigger ${name} after insert or update or delete on ${sourceOf(rollup)}
      for each row execute function shardwright.${name}();`
}
