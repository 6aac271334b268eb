import type { TelemetryAttributes } from '@shardwright/core'

type Labels = Readonly<Record<string, string | number>>

interface Value {
  readonly value: number
  readonly labels: Labels
  readonly metricName?: string
}

/** One set of labels: a sum, and for a histogram the count per bucket, which add up over processes. */
interface Cell {
  readonly labels: Labels
  readonly counts: Float64Array
  sum: number
  count: number
}

/**
 * A metric of one name with all its label sets, in the form that prom-client's Registry collects: durations in seconds.
 */
export class Series {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly aggregator = 'sum'
  readonly #buckets: readonly number[]
  readonly #shapes: boolean
  /** Of a value as it is shown to one as it is given. */
  readonly #scale: number
  readonly #cells = new Map<string, Cell>()
  // Frozen attribute objects are passed again and again: found without looking at their content.
  readonly #byIdentity = new WeakMap<TelemetryAttributes, Cell>()

  /** Without `shapes`, what differs in its shape alone is added up. */
  constructor(name: string, type: 'counter' | 'gauge' | 'histogram', buckets: readonly number[], shapes: boolean) {
    this.#shapes = shapes
    this.#scale = name.endsWith('_ms') ? 1_000 : 1
    const base = name.replaceAll('.', '_').replace(/_ms$/, '_seconds')
    this.name = type === 'counter' ? `${base}_total` : base
    this.help = base.replaceAll('_', ' ')
    this.type = type
    this.#buckets = buckets
  }

  add(value: number, attributes: TelemetryAttributes): void {
    this.#cellOf(attributes).sum += value
  }

  set(value: number, attributes: TelemetryAttributes): void {
    this.#cellOf(attributes).sum = value
  }

  observe(value: number, attributes: TelemetryAttributes): void {
    const cell = this.#cellOf(attributes)
    cell.sum += value
    cell.count++
    const buckets = this.#buckets
    let index = 0
    while (index < buckets.length && value > buckets[index]!) index++
    cell.counts[index]!++
  }

  reset(): void {
    for (const cell of this.#cells.values()) {
      cell.sum = 0
      cell.count = 0
      cell.counts.fill(0)
    }
  }

  async get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: Value[] }> {
    const { name, help, type, aggregator } = this
    const cells = [...this.#cells.values()]
    const values = cells.flatMap((cell) =>
      type === 'histogram' ? this.#histogramOf(cell) : [{ value: cell.sum / this.#scale, labels: cell.labels }],
    )
    return { name, help, type, aggregator, values }
  }

  #histogramOf(cell: Cell): Value[] {
    let sum = 0
    const values: Value[] = [...this.#buckets, Number.POSITIVE_INFINITY].map((bound, index) => {
      sum += cell.counts[index]!
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : bound / this.#scale
      return { value: sum, labels: { ...cell.labels, le }, metricName: `${this.name}_bucket` }
    })
    values.push({ value: cell.sum / this.#scale, labels: cell.labels, metricName: `${this.name}_sum` })
    values.push({ value: cell.count, labels: cell.labels, metricName: `${this.name}_count` })
    return values
  }

  #cellOf(attributes: TelemetryAttributes): Cell {
    return this.#byIdentity.get(attributes) ?? this.#find(attributes)
  }

  #find(attributes: TelemetryAttributes): Cell {
    const entries = Object.entries(attributes)
      .filter(([name]) => this.#shapes || name !== 'shape')
      .map(([name, value]) => [name.replaceAll('.', '_'), String(value)] as const)
    const key = JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    const cell = this.#cells.get(key) ?? {
      labels: Object.freeze(Object.fromEntries(entries)),
      counts: new Float64Array(this.#buckets.length + 1),
      sum: 0,
      count: 0,
    }
    this.#cells.set(key, cell)
    this.#byIdentity.set(attributes, cell)
    return cell
  }
}
