import { backfillLookups, type CheckedLookup, repairLookups, verifyLookups } from '@shardwright/shard-router'
import { hashTopology } from '../config/engine.ts'
import { CliError } from '../errors/cli-error.ts'
import { exitCode } from '../output/exit-code.ts'
import { wrap } from '../output/wrap.ts'
import type { Command, CommandContext } from '../run/command.ts'

export interface LookupsOptions {
  readonly names?: readonly string[]
}

/** Fills lookups from the rows that are there, while services write. */
export const lookupsBackfill: Command<LookupsOptions> = async (context, options) => {
  const filled = await backfillLookups(await workOf(context, options))
  const lines = filled.flatMap(({ lookup, ready, rows, duplicates }) => [
    ready
      ? `${lookup}: ready, ${rows} rows looked at. Routers use it from their next start or refresh().`
      : `${lookup}: not ready, ${duplicates.length} values stand in two rows. Correct them, and run this again.`,
    ...duplicates.map(({ value, keys }) => `  ${JSON.stringify(value)} in the rows of ${keys.join(' and ')}`),
  ])
  return {
    data: filled,
    render: (width) => lines.map((line) => wrap(line, width, '  ')).join('\n'),
    exitCode: filled.every(({ ready }) => ready) ? exitCode.ok : exitCode.found,
  }
}

/** Compares entries and rows. */
export const lookupsVerify: Command<LookupsOptions> = async (context, options) => {
  const checked = await verifyLookups(await workOf(context, options))
  return { ...rendered(checked, 'missing', 'stale'), exitCode: checked.every(isWhole) ? exitCode.ok : exitCode.found }
}

/** Brings entries to what the rows are. */
export const lookupsRepair: Command<LookupsOptions> = async (context, options) => {
  const checked = await repairLookups(await workOf(context, options))
  const mended = checked.every(({ duplicates }) => duplicates.length === 0)
  return { ...rendered(checked, 'added', 'taken away'), exitCode: mended ? exitCode.ok : exitCode.found }
}

async function workOf(context: CommandContext, { names = [] }: LookupsOptions) {
  const { fleet, schema, topology } = await context.open()
  const known = schema.lookups.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new CliError({
      code: 'USAGE',
      message: `The schema has no lookup ${JSON.stringify(unknown)}.`,
      hint: known.length > 0 ? `Its lookups are ${known.join(', ')}.` : 'It has none.',
    })
  }
  const instead = 'The coordinator of Citus asks all nodes for a value by itself.'
  return {
    fleet,
    schema,
    topology: hashTopology(topology, instead),
    lookups: names.length > 0 ? names : known,
    signal: context.signal,
  }
}

function isWhole({ missing, stale, duplicates }: CheckedLookup): boolean {
  return missing + stale + duplicates.length === 0
}

function rendered(checked: readonly CheckedLookup[], missing: string, stale: string) {
  const lines = checked.map(
    (each) =>
      `${each.lookup}: ${each.rows} rows, ${each.entries} entries; ${each.missing} ${missing}, ${each.stale} ${stale}, ${each.duplicates.length} duplicates.`,
  )
  const text = lines.length > 0 ? lines : ['The schema has no lookups.']
  return { data: checked, render: (width: number) => text.map((line) => wrap(line, width, '  ')).join('\n') }
}
