import type { FleetConnection } from '@shardwright/core'
import { createOwnSchema } from '@shardwright/core'
import { identifier, literal, qualified } from '../sql/quote.ts'
import type { Step } from './step.ts'

/** `to` rows joined with their source where the two differ. A row without a source is out of step unless it is null. */
function outOfStep(step: Step): string {
  const { to, from } = tables(step)
  return `${to} t left join ${from} f on f.${identifier(step.onFrom)} = t.${identifier(step.onTo)}
    where t.${identifier(step.toColumn)} is distinct from f.${identifier(step.fromColumn)}`
}

export async function countOutOfStep(connection: FleetConnection, step: Step): Promise<number> {
  const { rows } = await connection.query<{ rows: string }>(`select count(*) as rows from ${outOfStep(step)}`)
  return Number(rows[0]?.rows ?? 0)
}

/** Brings up to `batchRows` rows into step; returns how many. The trigger on `to` fetches the value and locks its row. */
export async function backfill(connection: FleetConnection, step: Step, batchRows: number): Promise<number> {
  const { to } = tables(step)
  const column = identifier(step.toColumn)
  // tableoid too: a ctid is unique in one partition only.
  const result = await connection.query(
    `update ${to} u set ${column} = u.${column}
      where (u.tableoid, u.ctid) in (select t.tableoid, t.ctid from ${outOfStep(step)} limit $1)`,
    [batchRows],
  )
  return result.rowCount ?? 0
}

/**
 * Two triggers. Whoever writes `to` reads the source FOR SHARE: against an update of the source under way it waits and
 * then sees the new value, and an update that comes later waits for it and then sees its row. That reasoning needs
 * statements with a snapshot of their own, so the source may be updated under READ COMMITTED only; others are refused.
 */
export function triggersSql(step: Step): string {
  const { from, to } = tables(step)
  const [fromColumn, toColumn, onFrom, onTo] = [step.fromColumn, step.toColumn, step.onFrom, step.onTo].map(identifier)
  const pull = qualified('shardwright', `${step.name}_pull`)
  const push = qualified('shardwright', `${step.name}_push`)
  return `
    ${createOwnSchema};
    create or replace function ${pull}() returns trigger language plpgsql security definer
      set search_path to pg_catalog, pg_temp as $body$
    begin
      select f.${fromColumn} into new.${toColumn} from ${from} f where f.${onFrom} = new.${onTo} for share;
      return new;
    end $body$;
    create or replace function ${push}() returns trigger language plpgsql security definer
      set search_path to pg_catalog, pg_temp as $body$
    begin
      if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using errcode = '0A000', message =
          ${literal(`${step.fromTable}.${step.fromColumn} is copied to ${step.toTable}.${step.toColumn}: update it under READ COMMITTED`)};
      end if;
      update ${to} t set ${toColumn} = ${toColumn}
       where t.${onTo} = new.${onFrom} or (tg_op <> 'INSERT' and t.${onTo} = old.${onFrom});
      return null;
    end $body$;
    create or replace trigger ${identifier(`${step.name}_pull`)} before insert or update of ${onTo}, ${toColumn} on ${to}
      for each row execute function ${pull}();
    create or replace trigger ${identifier(`${step.name}_push`)} after insert or update of ${onFrom}, ${fromColumn} or delete on ${from}
      for each row execute function ${push}();`
}

function tables(step: Step): { readonly from: string; readonly to: string } {
  return { from: qualified(step.schema, step.fromTable), to: qualified(step.schema, step.toTable) }
}
