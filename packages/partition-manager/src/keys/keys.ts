import { dateKey } from './date-key.ts'
import { epochMicrosecondsKey, epochMillisecondsKey, epochSecondsKey } from './epoch-key.ts'
import type { PartitionKey, PartitionKeyName } from './partition-key.ts'
import { timestampKey } from './timestamp-key.ts'
import { timestamptzKey } from './timestamptz-key.ts'
import { uuidV7Key } from './uuid-v7-key.ts'

const keys: Readonly<Record<PartitionKeyName, PartitionKey>> = Object.freeze({
  timestamptz: timestamptzKey,
  timestamp: timestampKey,
  date: dateKey,
  'epoch-s': epochSecondsKey,
  'epoch-ms': epochMillisecondsKey,
  'epoch-us': epochMicrosecondsKey,
  'uuid-v7': uuidV7Key,
})

export const partitionKeyNames = Object.freeze(Object.keys(keys)) as readonly PartitionKeyName[]

export function partitionKey(name: PartitionKeyName): PartitionKey {
  return keys[name]
}
