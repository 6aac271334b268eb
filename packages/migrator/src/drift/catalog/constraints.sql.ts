import { ownershipConstraint } from '../../place/ownership-constraint.ts'
import { quoteLiteral } from '../../sql/quote.ts'
import { applicationTable, foreignSchemas } from './own-objects.sql.ts'

// NOT NULL constraints (PostgreSQL 18) are compared with their columns.
export const selectConstraints = `
select 'constraint' as kind, n.nspname || '.' || c.relname || '.' || k.conname as name, n.nspname || '.' || c.relname as "table",
  pg_get_constraintdef(k.oid) as definition,
  format('alter table %I.%I add constraint %I %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) as "create",
  format('alter table %I.%I drop constraint %I', n.nspname, c.relname, k.conname) as "drop",
  jsonb_build_object('type', k.contype, 'invalid index', (select 'true' from pg_index i where i.indexrelid = k.conindid and not i.indisvalid
    and i.indrelid = k.conrelid and c.relkind <> 'p')) as parts
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('p', 'u', 'f', 'c', 'x') and k.conparentid = 0 and k.conname <> ${quoteLiteral(ownershipConstraint)}
  and ${foreignSchemas('n')} and ${applicationTable('c')}`
