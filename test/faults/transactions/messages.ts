import type { ProtocolStep, TopologyInputLike } from './shapes.ts'

/** What ends at a step: the process (SIGKILL), the server it talks to (immediate stop), or the sockets to it. */
export type Fault = 'process' | 'server' | 'socket'

export const faultKinds = ['process', 'server', 'socket'] as const satisfies readonly Fault[]

/** A named instant of the protocol; `index` is the participant's, where there are several. */
export interface Point {
  readonly step: ProtocolStep
  readonly index: number
}

/** What the next transfer of a kind meets at a point. */
export interface Ambush {
  readonly point: Point
  readonly fault: Fault
  /**
   * True: a transfer by a transaction that writes entries of lookups as well. False: one by a single INSERT, whose parts
   * are prepared behind their rows.
   */
  readonly keepsLookups: boolean
}

export interface WorkerPlan {
  readonly topology: TopologyInputLike
  readonly ports: Readonly<Record<string, number>>
  /** Accounts by the shard that owns them. */
  readonly accounts: readonly (readonly number[])[]
  readonly seed: number
}

export type ToWorker =
  | { readonly kind: 'plan'; readonly plan: WorkerPlan }
  | ({ readonly kind: 'arm' } & Ambush)
  | { readonly kind: 'go on' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'where' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'end' }

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'begun'; readonly id: string }
  | { readonly kind: 'acknowledged'; readonly id: string }
  | { readonly kind: 'refused'; readonly id: string; readonly code: string }
  | { readonly kind: 'in doubt'; readonly id: string; readonly code: string }
  | { readonly kind: 'hit'; readonly point: Point; readonly shard: string }
  | { readonly kind: 'paused' }
  | { readonly kind: 'here'; readonly doing: string }
