import { randomBytes } from 'node:crypto'
import type { Clock, Telemetry } from '@shardwright/core'
import type { Entry, TagVersion } from '../tiers/entry.ts'
import { deepFreeze } from '../values/immutable.ts'
import { inspectValue } from '../values/inspect-value.ts'
import type { ValueType } from '../values/value-type.ts'
import type { ResolvedEntryOptions } from './entry-options.ts'

export interface EntryMakerInit {
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly valueTypes: readonly ValueType[]
}

/** Makes entries of loaded values: their times, with jitter, and how their value can be kept. */
export class EntryMaker {
  readonly #init: EntryMakerInit
  readonly #told = new Set<string>()
  readonly #start = randomBytes(4).toString('hex')
  #made = 0

  constructor(init: EntryMakerInit) {
    this.#init = init
  }

  /** `undefined` when the value cannot be kept exactly. A plain value is frozen. */
  make(value: unknown, loadMs: number, options: ResolvedEntryOptions, tags: readonly TagVersion[]): Entry | undefined {
    const { keeping, bytes, exotic, because } = inspectValue(value, this.#init.valueTypes)
    if (keeping === 'refused') {
      this.#tell(because ?? 'an unknown type')
      return undefined
    }
    const now = this.#init.clock.now()
    const ttlMs = value === undefined ? Math.min(options.absentTtlMs, options.ttlMs) : options.ttlMs
    const freshUntil = now + ttlMs * (1 - options.jitter * Math.random())
    const graceMs = value === undefined ? 0 : Math.max(options.staleWhileRevalidateMs, options.staleIfErrorMs)
    return {
      value: keeping === 'shared' ? deepFreeze(value) : value,
      keeping,
      exotic,
      bytes,
      fillId: this.#nextFillId(),
      freshUntil,
      staleUntil: freshUntil + graceMs,
      loadMs,
      tags,
    }
  }

  /** 12 characters: 8 of this process, 4 that count. Only two fills in a row of one key must differ. */
  #nextFillId(): string {
    this.#made = (this.#made + 1) % 36 ** 4
    return this.#start + this.#made.toString(36).padStart(4, '0')
  }

  #tell(because: string): void {
    if (this.#told.has(because) || this.#told.size > 100) return
    this.#told.add(because)
    this.#init.telemetry.log(
      'warn',
      `Values that hold ${because} are not cached: they would come back as something else.`,
    )
  }
}
