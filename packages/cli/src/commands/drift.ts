import path from 'node:path'
import {
  type DriftReport,
  findDrift,
  readSchemaSnapshot,
  readSnapshotFile,
  writeSnapshotFile,
} from '@shardwright/migrator'
import { exitCode } from '../output/exit-code.ts'
import { wrap } from '../output/wrap.ts'
import type { Command } from '../run/command.ts'

export interface DriftCommandOptions {
  readonly snapshot?: string
  readonly write?: string
  readonly sql?: boolean
}

/** Compares the shards with one another or with a committed snapshot, or writes that snapshot. */
export const drift: Command<DriftCommandOptions> = async (context, options) => {
  const { fleet, schema } = await context.open()
  if (options.write !== undefined) {
    const file = path.resolve(options.write)
    await using connection = await fleet.shards[0]!.connect()
    const snapshot = await readSchemaSnapshot(connection)
    await writeSnapshotFile(file, snapshot)
    return {
      data: { file, objects: snapshot.objects.length },
      render: () => `${options.write}: ${snapshot.objects.length} objects of ${fleet.shards[0]?.id}`,
    }
  }
  const reference = options.snapshot === undefined ? undefined : await readSnapshotFile(path.resolve(options.snapshot))
  const report = await findDrift(fleet, { schema, reference })
  return {
    data: report,
    render: (width) => renderDrift(report, width, options.sql === true),
    exitCode: report.drifted ? exitCode.found : exitCode.ok,
  }
}

export function renderDrift(report: DriftReport, width: number, sqlOnly: boolean): string {
  const against = report.reference === 'snapshot' ? 'the snapshot' : report.reference
  if (!report.drifted) return `${sqlOnly ? '-- ' : ''}No drift: ${report.shards.length} shards are equal to ${against}.`
  return report.shards
    .flatMap(({ shard, differences, error }) => {
      if (error) return [`${sqlOnly ? '-- ' : ''}${shard}: ${error.message}`]
      if (differences.length === 0) return []
      const lines = differences.flatMap((difference) => {
        const sql = difference.sql.map((statement) => `    ${statement};`)
        if (sqlOnly)
          return [
            `-- ${difference.kind} ${difference.object} is ${difference.problem}`,
            ...difference.sql.map((statement) => `${statement};`),
          ]
        const found =
          difference.problem === 'different'
            ? [
                wrap(`    expected ${difference.expected}`, width, '      '),
                wrap(`    found    ${difference.found}`, width, '      '),
              ]
            : []
        return [
          wrap(`  ${difference.kind} ${difference.object} is ${difference.problem}`, width, '    '),
          ...found,
          ...sql,
        ]
      })
      return [`${sqlOnly ? '-- ' : ''}${shard} differs from ${against}:`, ...lines]
    })
    .join('\n')
}
