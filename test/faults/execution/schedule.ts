import { randomOf } from '../cache/random.ts'
import { type DisturbanceKind, disturbanceKinds, frontKinds } from './disturbance.ts'

export interface Planned {
  readonly kind: DisturbanceKind
  readonly victim: string
  readonly forMs: number
}

export interface ScheduleOptions {
  readonly seed: number
  readonly shards: readonly string[]
  /** Those that something stands in front of. */
  readonly fronts: readonly string[]
  /** Absent: one disturbance of each kind, in their order. */
  readonly minutes?: number | undefined
}

/** What is disturbed, and for how long: the same for the same seed on the same shards, but for where the time is over. */
export function* schedule({ seed, shards, fronts, minutes }: ScheduleOptions): Generator<Planned> {
  const random = randomOf(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const kinds = fronts.length === 0 ? disturbanceKinds : [...disturbanceKinds, ...frontKinds]
  const until = minutes === undefined ? undefined : performance.now() + minutes * 60_000
  for (let turn = 0; until === undefined ? turn < kinds.length : performance.now() < until; turn++) {
    const kind = until === undefined ? kinds[turn]! : pick(kinds)
    yield { kind, victim: pick(kind.endsWith('front') ? fronts : shards), forMs: 300 + random() * 700 }
  }
}
