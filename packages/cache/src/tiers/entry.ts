/** The version that a tag had when the load of an entry began. */
export interface TagVersion {
  /** The key of the tag's own entry. */
  readonly key: string
  readonly version: string
}

/** A value with what is known about it, as tiers exchange it. Times are milliseconds since 1970. */
export interface Entry {
  /** Frozen when `keeping` is `shared`; otherwise a private original that is copied before a caller gets it. */
  readonly value: unknown
  readonly keeping: 'shared' | 'copied'
  readonly exotic: boolean
  readonly bytes: number
  /** Unique per fill. */
  readonly fillId: string
  readonly freshUntil: number
  /** Past it the entry does not exist; between `freshUntil` and here it may be served as stale. */
  readonly staleUntil: number
  /** What the load took; the early refresh begins sooner for slow loads. */
  readonly loadMs: number
  readonly tags: readonly TagVersion[]
}
