import { exitCode } from '../output/exit-code.ts'
import type { Command } from '../run/command.ts'
import { migratorOf } from './migrate.ts'
import { renderFindings, renderMigrationStatus } from './migrate-screens.ts'

export const migrateStatus: Command = async (context) => {
  const status = await migratorOf(await context.open()).status()
  return {
    data: status,
    render: (width) => renderMigrationStatus(status, width),
    exitCode: status.complete ? exitCode.ok : exitCode.found,
  }
}

export const migrateLint: Command<{ readonly all?: boolean }> = async (context, options) => {
  const findings = await migratorOf(await context.open()).lint({ all: options.all === true })
  const errors = findings.some((finding) => finding.severity === 'error')
  return {
    data: { findings },
    render: (width) => renderFindings(findings, width),
    exitCode: errors ? exitCode.found : exitCode.ok,
  }
}
