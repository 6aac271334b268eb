import { type CitusDifference, inspectCitusTables } from '@shardwright/core'
import { onCoordinator } from '../../citus/coordinator.ts'
import { exitCode } from '../../output/exit-code.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'

/** Compares Citus' metadata with the schema. */
export const citusCheck: Command<{ readonly sql?: boolean }> = (context, { sql }) =>
  onCoordinator(context, async ({ opened, connection }) => {
    const differences = await inspectCitusTables(connection, opened.schema)
    return {
      data: differences,
      exitCode: differences.length > 0 ? exitCode.found : exitCode.ok,
      render: (width) =>
        sql === true
          ? differences.flatMap((difference) => difference.sql.map((statement) => `${statement};`)).join('\n')
          : renderDifferences(differences, opened.schema.tables.length, width),
    }
  })

export function differenceText({ table, expected, found }: CitusDifference): string {
  return `${table} should be ${expected}, and is ${found}`
}

function renderDifferences(differences: readonly CitusDifference[], tables: number, width: number): string {
  if (differences.length === 0) return `The cluster is what the schema says: ${tables} tables.`
  return differences
    .flatMap((difference) => [
      wrap(differenceText(difference), width, '  '),
      ...difference.sql.map((statement) => wrap(`  ${statement};`, width, '    ')),
    ])
    .join('\n')
}
