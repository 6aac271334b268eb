import type { DryRunStep, Finding, FleetStatus } from '@shardwright/migrator'
import { renderTable } from '../output/table.ts'
import { wrap } from '../output/wrap.ts'

export function renderDryRun(steps: readonly DryRunStep[], width: number): string {
  if (steps.length === 0) return '-- nothing to do'
  return steps
    .map((step) => {
      const notes = [
        `-- ${step.migration} (${step.direction}) on ${step.shards.join(', ')}${step.transaction ? '' : ', outside a transaction'}`,
        ...(step.readsRows ? ['-- it reads rows: what follows a read may differ when it runs'] : []),
        ...(step.incomplete
          ? [wrap(`-- not all of it could be written down: ${step.incomplete}`, width, '--   ')]
          : []),
      ]
      const body = step.statements.map(
        ({ sql, parameters }) => `${sql};${parameters.length > 0 ? ` -- ${JSON.stringify(parameters)}` : ''}`,
      )
      return [...notes, ...(step.transaction ? ['begin;', ...body, 'commit;'] : body)].join('\n')
    })
    .join('\n\n')
}

export function renderMigrationStatus(status: FleetStatus, width: number): string {
  if (status.migrations.length === 0) return 'There are no migrations.'
  const shards = status.shards
  const table = renderTable(
    status.migrations,
    [
      { title: 'migration', of: (migration) => migration.name, shrinks: true },
      {
        title: 'applied',
        of: (migration) => `${migration.shards.filter((cell) => cell.state === 'applied').length}/${shards.length}`,
        align: 'right',
      },
      { title: 'otherwise', of: (migration) => otherwise(migration), shrinks: true },
    ],
    width,
  )
  const problems = [
    ...shards.flatMap((shard) => (shard.error ? [`${shard.shard}: ${shard.error.message}`] : [])),
    ...shards.flatMap((shard) =>
      shard.lockedBy
        ? [`${shard.shard}: is being migrated by ${shard.lockedBy.applicationName} (backend ${shard.lockedBy.pid})`]
        : [],
    ),
    ...status.migrations.flatMap((migration) =>
      migration.shards.flatMap((cell) =>
        cell.row?.error ? [`${cell.shard}: ${migration.name}: ${cell.row.error}`] : [],
      ),
    ),
  ].map((line) => wrap(line, width, '  '))
  return [
    table,
    ...(problems.length > 0 ? ['', ...problems] : []),
    '',
    status.complete ? 'Complete.' : 'Incomplete.',
  ].join('\n')
}

function otherwise(migration: FleetStatus['migrations'][number]): string {
  const words = new Map<string, string[]>()
  for (const { shard, state, changed } of migration.shards) {
    const word = changed ? 'changed' : state === 'applied' ? undefined : state
    if (word) words.set(word, [...(words.get(word) ?? []), shard])
  }
  const parts = [...words].map(([word, shards]) =>
    shards.length === migration.shards.length ? `${word} everywhere` : `${word}: ${shards.join(', ')}`,
  )
  return [...(migration.known ? [] : ['no file']), ...parts].join('; ')
}

export function renderFindings(findings: readonly Finding[], width: number): string {
  if (findings.length === 0) return 'The linter has nothing to say.'
  return findings
    .map((finding) =>
      [
        wrap(`${finding.severity} ${finding.rule}: ${finding.migration}, statement ${finding.statement}`, width, '  '),
        wrap(`  ${finding.sql}`, width, '    '),
        wrap(
          `  ${finding.message}${finding.lock ? ` (${finding.lock}${finding.rewrites ? ', table written anew' : ''})` : ''}`,
          width,
          '  ',
        ),
        wrap(`  do: ${finding.remedy}`, width, '      '),
      ].join('\n'),
    )
    .join('\n\n')
}
