import { type Clock, type KeyObserver, systemClock } from '@shardwright/core'
import { z } from 'zod'
import type { Sample } from '../collect/sample.ts'
import { parseOptions } from '../errors/parse-options.ts'
import type { Source } from '../source/source.ts'
import { KeyWindow } from './key-window.ts'

export interface HotKeysOptions {
  /** How many keys of a family are listed. Default: 20. */
  readonly top?: number | undefined
  /** Counters a row of the sketch; an estimate is too high by at most 2.72 / width of all uses. Default: 2048. */
  readonly width?: number | undefined
  /** Default: 4. */
  readonly depth?: number | undefined
  /** What is older than two windows is forgotten. Default: 150000. */
  readonly windowMs?: number | undefined
  readonly clock?: Clock | undefined
}

/** A shard key and how often statements of this process used it lately. */
export interface HotKey {
  readonly family: string
  /** Data of a user: show it to an operator, never write it to a log or a metric. */
  readonly key: string
  /** Never too low. */
  readonly uses: number
  /** Of all uses of its family. */
  readonly share: number
}

/** Finds the shard keys that statements use most. */
export interface HotKeys extends KeyObserver, Source {
  /** The most frequent first. */
  top(family?: string): readonly HotKey[]
}

const shape = z.strictObject({
  top: z.int().min(1).max(1_000).default(20),
  width: z.int().min(16).max(1_000_000).default(2_048),
  depth: z.int().min(1).max(16).default(4),
  windowMs: z.number().positive().default(150_000),
  clock: z.custom<Clock>().default(systemClock),
})

/** A family's uses in the window under way and in the one before. */
interface FamilyKeys {
  startedMs: number
  current: KeyWindow
  before: KeyWindow
}

/** No ratio is told of fewer uses: of three statements one key always has a third. */
const fewestUses = 1_000

/**
 * Counts the shard keys of statements at the caller, in fixed memory (count-min), and keeps the most frequent.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * const keys = hotKeys()
 * const router = createShardRouter({ schema, topology, keyObserver: keys })
 * const monitor = createMonitor({ fleet: router.fleet, sources: [keys] })
 * keys.top('festival_id')[0] // { family: 'festival_id', key: 'nordlicht', uses: 51234, share: 0.31 }
 */
export function hotKeys(options: HotKeysOptions = {}): HotKeys {
  const { clock, windowMs, ...size } = parseOptions('The hot keys', shape, options)
  const families = new Map<string, FamilyKeys>()

  function keysOf(family: string): FamilyKeys {
    const nowMs = clock.monotonicMs()
    const known = families.get(family)
    if (known === undefined) {
      const made = { startedMs: nowMs, current: new KeyWindow(size), before: new KeyWindow(size) }
      families.set(family, made)
      return made
    }
    const passed = Math.floor((nowMs - known.startedMs) / windowMs)
    if (passed >= 1) {
      known.before = passed === 1 ? known.current : new KeyWindow(size)
      known.current = new KeyWindow(size)
      known.startedMs += passed * windowMs
    }
    return known
  }

  function topOf(family: string): readonly HotKey[] {
    const { current, before } = keysOf(family)
    const total = current.total + before.total
    const candidates = new Set([...current.candidates(), ...before.candidates()])
    return [...candidates]
      .map((key) => ({ family, key, uses: current.uses(key) + before.uses(key) }))
      .map((hot) => Object.freeze({ ...hot, share: hot.uses / total }))
      .toSorted((a, b) => b.uses - a.uses)
      .slice(0, size.top)
  }

  function hottest(family: string): Sample {
    const { current, before } = keysOf(family)
    const enough = current.total + before.total >= fewestUses
    return { metric: 'hottest_key_ratio', labels: { family }, value: enough ? topOf(family)[0]?.share : undefined }
  }

  return Object.freeze<HotKeys>({
    name: 'hot-keys',
    see: (family, key) => keysOf(family).current.add(String(key)),
    top: (family) =>
      family === undefined
        ? [...families.keys()].flatMap(topOf).toSorted((a, b) => b.uses - a.uses)
        : families.has(family)
          ? topOf(family)
          : [],
    read: () => [...families.keys()].map(hottest),
  })
}
