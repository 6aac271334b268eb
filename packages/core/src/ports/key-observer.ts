import type { KeyValue } from '../hashing/key-type.ts'

/**
 * Who wants to know which shard keys statements use, to find the hot ones. It is asked for each key of each statement, so it
 * must be quick and must not throw. Keys are data of users: they belong into no log and no metric.
 */
export interface KeyObserver {
  see(family: string, key: KeyValue): void
}
