/** One measured value. */
export interface Sample {
  readonly metric: string
  /** Of a server: `shard`, then what of it: `replica`, `table`, `state`. */
  readonly labels: Readonly<Record<string, string>>
  /** `undefined`: it was asked for and there is no answer, which is not zero. */
  readonly value: number | undefined
}

/** The name of what was measured, for alerts: `shard`, `shard/replica`; `fleet` when it is about all. */
export function subjectOf({ labels }: Sample): string {
  const { shard, ...rest } = labels
  const parts = [...(shard === undefined ? [] : [shard]), ...Object.values(rest)]
  return parts.length === 0 ? 'fleet' : parts.join('/')
}

/** A number as the driver gives it (bigint and numeric come as text), or `undefined` for NULL. */
export function toNumber(value: unknown): number | undefined {
  if (value === null || value === undefined) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}
