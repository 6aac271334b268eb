import type { Fleet, FleetConnection } from '@shardwright/core'
import type { CollectFailure } from '../collect/collect-shard.ts'
import { collectFailure } from '../collect/collect-shard.ts'
import type { Advice, AdviceTopic } from './advice.ts'

/** What an advisor found, and where it could not look. */
export interface AdviceReport {
  readonly advice: readonly Advice[]
  readonly failures: readonly CollectFailure[]
}

/** One side of a fleet that is looked at. */
export interface Advisor {
  readonly name: string
  readonly topic: AdviceTopic
  advise(fleet: Fleet): Promise<AdviceReport>
}

/** What was read on one shard. */
export interface ShardFacts<Facts> {
  readonly shard: string
  readonly facts: Facts
}

export interface AdvisorDefinition<Facts> {
  readonly name: string
  readonly topic: AdviceTopic
  /** Reads one shard. */
  gather(connection: FleetConnection): Promise<Facts>
  /** Judges what was read on the shards that answered; pure. */
  judge(read: readonly ShardFacts<Facts>[]): readonly Omit<Advice, 'topic'>[]
}

const statementTimeoutMs = 15_000

/** An advisor that reads every shard by itself and judges them together. */
export function defineAdvisor<Facts>({ name, topic, gather, judge }: AdvisorDefinition<Facts>): Advisor {
  return Object.freeze<Advisor>({
    name,
    topic,
    async advise(fleet) {
      const read: ShardFacts<Facts>[] = []
      const failures: CollectFailure[] = []
      await Promise.all(
        fleet.shards.map(async (shard) => {
          try {
            await using connection = await shard.connect({ applicationName: 'shardwright advisor' })
            await connection.script(`set statement_timeout = ${statementTimeoutMs}; set lock_timeout = 1000`)
            read.push({ shard: shard.id, facts: await gather(connection) })
          } catch (error) {
            failures.push(collectFailure(shard.id, name, error))
          }
        }),
      )
      const order = new Map(fleet.shards.map(({ id }, index) => [id, index]))
      read.sort((a, b) => (order.get(a.shard) ?? 0) - (order.get(b.shard) ?? 0))
      return Object.freeze({ advice: judge(read).map((advice) => Object.freeze({ topic, ...advice })), failures })
    },
  })
}

/** Rows of all shards under their objects, in the order found. */
export function byObject<Row>(
  read: readonly ShardFacts<readonly Row[]>[],
  objectOf: (row: Row) => string,
): ReadonlyMap<string, readonly { readonly shard: string; readonly row: Row }[]> {
  const groups = new Map<string, { shard: string; row: Row }[]>()
  for (const { shard, facts } of read) {
    for (const row of facts) {
      const group = groups.get(objectOf(row))
      if (group) group.push({ shard, row })
      else groups.set(objectOf(row), [{ shard, row }])
    }
  }
  return groups
}
