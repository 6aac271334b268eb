import { isoText, parseIsoText } from './iso-text.ts'
import type { PartitionKey } from './partition-key.ts'

/** Bounds travel as UTC literals, so that no session's TimeZone can shift them. */
export const timestamptzKey: PartitionKey = Object.freeze({
  name: 'timestamptz',
  wall: false,
  types: ['timestamptz'],
  cast: 'pg_catalog.timestamptz',
  stepUs: 1n,
  nothingUpTo: '-infinity',
  text: (position) => {
    const text = isoText(position)
    return text.endsWith(' BC') ? `${text.slice(0, -3)}+00 BC` : `${text}+00`
  },
  parse: (text) => parseIsoText(text),
} satisfies PartitionKey)
