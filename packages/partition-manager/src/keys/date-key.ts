import { isoText, parseIsoText } from './iso-text.ts'
import type { PartitionKey } from './partition-key.ts'

export const dateKey: PartitionKey = Object.freeze({
  name: 'date',
  wall: true,
  types: ['date'],
  cast: 'pg_catalog.date',
  stepUs: 86_400_000_000n,
  nothingUpTo: '-infinity',
  text: (position) => isoText(position).replace(' 00:00:00', ''),
  parse: (text) => parseIsoText(text),
} satisfies PartitionKey)
