import { alterCommands, columnConstraints } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, stringsOf } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'
import { volatileFunctions } from '../volatile-expression.ts'

/** ADD COLUMN that writes or reads the whole table under an AccessExclusiveLock. */
export const addColumn: LintRule = {
  name: 'add-column',
  check: (statement, context) =>
    alterCommands(statement, context).flatMap(({ subtype, table, column }): readonly Problem[] => {
      if (subtype !== 'AT_AddColumn' || !column || context.isNew(table)) return []
      const at = { table: display(table), lock: 'AccessExclusiveLock' as const, severity: 'error' as const }
      const constraints = columnConstraints(column)
      const kinds = constraints.map((constraint) => constraint.contype)
      const expression = constraints.find((constraint) => constraint.contype === 'CONSTR_DEFAULT')?.raw_expr
      const problems: Problem[] = []
      if (isSerial(column.typeName?.names) || kinds.includes('CONSTR_IDENTITY')) {
        problems.push({
          ...at,
          rewrites: true,
          message: `adding the sequence column ${column.colname} writes the whole table anew while nobody can read it`,
          remedy: steps,
        })
      } else if (
        constraints.some((constraint) => constraint.contype === 'CONSTR_GENERATED' && constraint.generated_kind !== 'v')
      ) {
        problems.push({
          ...at,
          rewrites: true,
          message: `adding the stored generated column ${column.colname} writes the whole table anew while nobody can read it`,
          remedy: 'Use a plain column kept by a trigger, or a virtual generated column (PostgreSQL 18).',
        })
      } else if (volatileFunctions(expression).length > 0) {
        problems.push({
          ...at,
          rewrites: true,
          message: `the default of ${column.colname} calls ${volatileFunctions(expression).join(', ')}, so the whole table is written anew while nobody can read it`,
          remedy: steps,
        })
      }
      if (kinds.includes('CONSTR_NOTNULL') && expression === undefined && problems.length === 0) {
        problems.push({
          ...at,
          message: `${column.colname} is NOT NULL without a default: it fails on a table with rows`,
          remedy: 'Give a constant default, or add it nullable and follow the steps of set-not-null.',
        })
      }
      if (kinds.includes('CONSTR_UNIQUE') || kinds.includes('CONSTR_PRIMARY')) {
        problems.push({
          ...at,
          message: `the index of ${column.colname} is built while nobody can read the table`,
          remedy: 'Add the column alone, then CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX.',
        })
      }
      if (kinds.includes('CONSTR_FOREIGN') && expression !== undefined) {
        problems.push({
          ...at,
          message: `the foreign key of ${column.colname} is proven over the whole table while nobody can read it`,
          remedy:
            'Add the column alone, then ADD CONSTRAINT ... NOT VALID, then VALIDATE CONSTRAINT in the next migration.',
        })
      }
      if (kinds.includes('CONSTR_CHECK')) {
        problems.push({
          ...at,
          message: `the CHECK of ${column.colname} is proven over the whole table while nobody can read it`,
          remedy:
            'Add the column alone, then ADD CONSTRAINT ... CHECK ... NOT VALID, then VALIDATE CONSTRAINT in the next migration.',
        })
      }
      return problems
    }),
}

const steps =
  'Add the column without a default, set the default by ALTER COLUMN ... SET DEFAULT, then fill old rows in batches outside this transaction.'

function isSerial(names: unknown): boolean {
  return /^(small|big)?serial[248]?$/.test(stringsOf(names).at(-1) ?? '')
}
