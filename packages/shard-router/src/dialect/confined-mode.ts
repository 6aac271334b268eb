import type { Schema } from '@shardwright/core'
import { refuse } from '../plan/refuse.ts'
import type { Mode } from './mode.ts'

/** The door of one key. @throws RoutingError INVALID_OPTIONS */
export function confinedMode(key: Readonly<Record<string, unknown>>, { families, lookups }: Schema): Mode {
  const entries = Object.entries(key ?? {})
  const [family, value] = entries[0] ?? []
  const known = [...families.keys()].filter((name) => !lookups.some((lookup) => lookup.name === name))
  if (entries.length !== 1 || family === undefined || !known.includes(family)) {
    refuse('INVALID_OPTIONS', 'router.for takes one key family with its key.', `Use one of: ${known.join(', ')}.`)
  }
  if (value === null || value === undefined) {
    refuse('INVALID_OPTIONS', `The key of '${family}' is ${value}.`, 'Pass the shard key.')
  }
  return { kind: 'confined', confined: { family, value } }
}
