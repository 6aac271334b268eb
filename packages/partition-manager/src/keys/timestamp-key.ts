import { isoText, parseIsoText } from './iso-text.ts'
import type { PartitionKey } from './partition-key.ts'

export const timestampKey: PartitionKey = Object.freeze({
  name: 'timestamp',
  wall: true,
  types: ['timestamp'],
  cast: 'pg_catalog.timestamp',
  stepUs: 1n,
  nothingUpTo: '-infinity',
  text: isoText,
  parse: (text) => parseIsoText(text),
} satisfies PartitionKey)
