import { checkStages, type LoadStage } from './load-stage.ts'

/** The forms of a load test. */
export const loadProfileNames = ['smoke', 'load', 'stress', 'soak', 'spike'] as const
export type LoadProfileName = (typeof loadProfileNames)[number]

export interface LoadProfileOptions {
  /** Arrivals per second that the system is expected to bear. */
  readonly rate: number
  /** Of the whole run. Default: smoke 10 s, load 60 s, stress 120 s, soak 1800 s, spike 60 s. */
  readonly durationMs?: number | undefined
}

/** A stage as a share of the run and of the expected rate. */
type Part = readonly [share: number, from: number, to: number]

const profiles: Readonly<Record<LoadProfileName, { readonly durationMs: number; readonly parts: readonly Part[] }>> = {
  /** Does it work at all? */
  smoke: { durationMs: 10_000, parts: [[1, 0.05, 0.05]] },
  /** Does it bear what is expected? */
  load: {
    durationMs: 60_000,
    parts: [
      [0.2, 0, 1],
      [0.8, 1, 1],
    ],
  },
  /** Where does it break? It stops by itself there. */
  stress: {
    durationMs: 120_000,
    parts: [
      [0.25, 0, 1],
      [0.25, 1, 2],
      [0.25, 2, 4],
      [0.25, 4, 8],
    ],
  },
  /** Does it bear it for long? */
  soak: {
    durationMs: 1_800_000,
    parts: [
      [0.02, 0, 0.7],
      [0.98, 0.7, 0.7],
    ],
  },
  /** Does it come back from a rush? */
  spike: {
    durationMs: 60_000,
    parts: [
      [0.4, 0.3, 0.3],
      [0.02, 0.3, 3],
      [0.16, 3, 3],
      [0.02, 3, 0.3],
      [0.4, 0.3, 0.3],
    ],
  },
}

/**
 * The stages of a profile.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * loadProfile('spike', { rate: 500 })
 */
export function loadProfile(name: LoadProfileName, { rate, durationMs }: LoadProfileOptions): readonly LoadStage[] {
  const profile = profiles[name]
  const wholeMs = durationMs ?? profile.durationMs
  return checkStages(
    profile.parts.map(([share, from, to]) => ({
      durationMs: wholeMs * share,
      // A smoke run of a small rate is one call a second, not one in a minute.
      fromRate: name === 'smoke' ? Math.max(1, rate * from) : rate * from,
      toRate: name === 'smoke' ? Math.max(1, rate * to) : rate * to,
    })),
  )
}
