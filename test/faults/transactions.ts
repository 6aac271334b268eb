import { setTimeout as pause } from 'node:timers/promises'
import { startLocalCluster } from '@shardwright/local-cluster'
import { startRecovery } from '@shardwright/shard-router'
import { randomOf } from './cache/random.ts'
import { Bank, Ledger } from './transactions/bank.ts'
import { Crew } from './transactions/crew.ts'
import { type Ambush, type Fault, faultKinds, type Point } from './transactions/messages.ts'

/*
 * Several processes move money between accounts on four servers. At every named step of the commit protocol, one of them,
 * the server it talks to, or its sockets to it, end. After each fault: recovery, then every promise is looked at. Half of
 * the transfers give an account another name and another card, which two lookups have to follow; of the others some are one
 * INSERT over three shards.
 */

export interface TransactionFaultOptions {
  readonly seed: number
  /** How often every fault comes at every point. Default 1. */
  readonly rounds?: number
  /** Rounds are begun for this long. */
  readonly minutes?: number
  /** Default: all kinds. */
  readonly faults?: readonly Fault[]
  /** Default: 3. */
  readonly processes?: number
  readonly print?: (line: string) => void
}

/** Undisturbed transfers between two faults last up to this long. */
const loadMs = 300

/** Where a transaction with a decider and two participants can be hit. */
export const points: readonly Point[] = [
  { step: 'before prepare', index: 0 },
  { step: 'after prepare', index: 0 },
  { step: 'before prepare', index: 1 },
  { step: 'after prepare', index: 1 },
  { step: 'before decision', index: 0 },
  { step: 'after decision', index: 0 },
  { step: 'before commit prepared', index: 0 },
  { step: 'after commit prepared', index: 0 },
  { step: 'before commit prepared', index: 1 },
  { step: 'after commit prepared', index: 1 },
]

/** Runs the suite; true when no promise was broken and every point was hit by every fault. */
export async function run(options: TransactionFaultOptions): Promise<boolean> {
  const { seed, rounds = 1, minutes = 0, faults = faultKinds, processes = 3 } = options
  const print = options.print ?? ((line: string) => console.log(line))
  print(`transaction faults, seed ${seed}, ${rounds} rounds, ${processes} processes, faults: ${faults.join(', ')}`)
  await using cluster = await startLocalCluster({ shards: 4 })
  const bank = new Bank(cluster)
  const ledger = new Ledger()
  await bank.open()
  const ports = Object.fromEntries(cluster.shards.map((shard) => [shard.id, shard.server.port]))
  await using crew = new Crew(bank, ledger, ports, seed)
  await crew.hire(processes)
  // As in a service: what a dead process left prepared holds locks until then.
  await using _recovery = startRecovery(bank.fleet, { intervalMs: 500, graceMs: 1_000 })
  const random = randomOf(seed)
  const hits = new Map<string, number>()
  /** Points that were hit while lookups were kept. */
  const keeping = new Set<string>()
  const broken = new Set<string>()
  const strike = async (id: string) => {
    const shard = cluster.shard(id)
    await shard.stop({ mode: 'immediate' })
    await shard.start()
  }
  const until = performance.now() + minutes * 60_000
  for (let round = 0; round < rounds || performance.now() < until; round++) {
    for (const ambush of shuffled(faults, round, random)) {
      const { point, fault, keepsLookups } = ambush
      const name = `${fault} at ${point.step} ${point.index}`
      await pause(random() * loadMs)
      await crew.meet(ambush, strike)
      hits.set(name, (hits.get(name) ?? 0) + 1)
      if (keepsLookups) keeping.add(`${point.step} ${point.index}`)
      await crew.pause()
      const found = (await bank.audit(ledger)).filter((what) => !broken.has(what))
      for (const what of found) {
        broken.add(what)
        print(`BROKEN after ${name}: ${what}`)
      }
      if (crew.size < processes) await crew.hire(processes - crew.size)
      crew.resume()
    }
  }
  for (const [name, count] of hits) print(`hit ${count} x ${name}`)
  const { acknowledged, refused, inDoubt } = ledger
  print(
    `${acknowledged.size} acknowledged, ${refused.size} refused, ${inDoubt.size} in doubt; ${bank.recovered} parts recovered`,
  )
  print(`lookups were kept at ${keeping.size} of ${points.length} points; ${bank.entries} entries looked at`)
  const complete = hits.size === points.length * faults.length && keeping.size === points.length
  print(broken.size === 0 && complete ? 'every promise holds' : `BROKEN: ${broken.size}; every point hit: ${complete}`)
  return broken.size === 0 && complete && acknowledged.size > 0
}

/** Of the faults at one point every second meets a transfer that keeps lookups; in the next round the others do. */
function shuffled(faults: readonly Fault[], round: number, random: () => number): Ambush[] {
  const all = faults.flatMap((fault, n) =>
    points.map((point, m) => ({ point, fault, keepsLookups: (n + m + round) % 2 === 0, order: random() })),
  )
  return all.sort((a, b) => a.order - b.order)
}
