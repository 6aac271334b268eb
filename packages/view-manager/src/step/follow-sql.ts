import { createOwnSchema } from '@shardwright/core'
import { identifier, literal, qualified } from '../sql/quote.ts'
import type { Step } from './step.ts'

/** Set to `on` by our own updates, which are no changes to follow. */
const quiet = 'shardwright.step_quiet'

export const quietSql = `set local ${quiet} to 'on'`

/**
 * Notes of keys: those of the source whose value changed, and those of new or changed rows that follow it. Both in the
 * writer's own transaction, so there is a note for every change and none for what was rolled back.
 */
export function followTriggersSql(step: Step): string {
  const from = qualified(step.schema, step.fromTable)
  const to = qualified(step.schema, step.toTable)
  const [onFrom, onTo] = [identifier(step.onFrom), identifier(step.onTo)]
  const sent = qualified('shardwright', `${step.name}_sent`)
  const came = qualified('shardwright', `${step.name}_came`)
  return `
    ${createOwnSchema};
    create table if not exists shardwright.step_changes (id int8 generated always as identity primary key, step text not null, key text);
    ${noteFunction(sent, step, onFrom)}
    ${noteFunction(came, step, onTo)}
    create or replace trigger ${identifier(`${step.name}_sent`)}
      after insert or update of ${onFrom}, ${identifier(step.fromColumn)} or delete on ${from}
      for each row execute function ${sent}();
    create or replace trigger ${identifier(`${step.name}_came`)}
      after insert or update of ${onTo}, ${identifier(step.toColumn)} on ${to}
      for each row execute function ${came}();
    insert into shardwright.step_changes (step, key) select ${literal(step.name)}, ${onTo}::text from ${to} group by ${onTo};`
}

function noteFunction(name: string, step: Step, column: string): string {
  const note = (row: string) =>
    `insert into shardwright.step_changes (step, key) values (${literal(step.name)}, ${row}.${column}::text);`
  return `create or replace function ${name}() returns trigger language plpgsql security definer
      set search_path to pg_catalog, pg_temp as $body$
    begin
      if current_setting('${quiet}', true) = 'on' then return null; end if;
      if tg_op <> 'INSERT' then ${note('old')} end if;
      if tg_op <> 'DELETE' then ${note('new')} end if;
      return null;
    end $body$;`
}

/** Current values of the keys $1, as texts. */
export function valuesSql(step: Step, keyType: string): string {
  const key = identifier(step.onFrom)
  return `select ${key}::text as key, ${identifier(step.fromColumn)}::text as value
            from ${qualified(step.schema, step.fromTable)} where ${key} = any($1::text[]::${keyType}[])`
}

/** Gives the rows of the keys $1 the values $2. */
export function applySql(step: Step, keyType: string, valueType: string): string {
  const column = identifier(step.toColumn)
  return `update ${qualified(step.schema, step.toTable)} t set ${column} = v.value
            from unnest($1::text[]::${keyType}[], $2::text[]::${valueType}[]) as v(key, value)
           where t.${identifier(step.onTo)} = v.key and t.${column} is distinct from v.value`
}

/** The keys behind $1, at most $2, each with its values and their numbers of rows. */
export function pairsSql(step: Step, keyType: string): string {
  const key = identifier(step.onTo)
  const to = qualified(step.schema, step.toTable)
  return `with keys as (
            select distinct ${key} as key from ${to}
             where ${key} is not null and ($1::text is null or ${key} > $1::text::${keyType}) order by 1 limit $2)
          select k.key::text as key, t.${identifier(step.toColumn)}::text as value, count(*)::int as rows
            from keys k join ${to} t on t.${key} = k.key group by k.key, t.${identifier(step.toColumn)} order by k.key`
}
