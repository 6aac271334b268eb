import type { PgField } from '@shardwright/core'
import type { InProcessAggregate } from '../plan/aggregate/decomposable.ts'
import type { AggregateMerge, AggregateOutput } from '../plan/merge-plan.ts'
import { emptyFields } from '../pool/row-reader.ts'
import type { Accumulator } from './aggregate/accumulator.ts'
import { AvgAccumulator } from './aggregate/avg.ts'
import { CountAccumulator } from './aggregate/count.ts'
import { ExtremeAccumulator } from './aggregate/min-max.ts'
import { SumAccumulator, sumIsExact } from './aggregate/sum.ts'
import type { PartialResult } from './partial-result.ts'
import { rowOrder, type TextRow } from './row-order.ts'
import { identityOfType, orderOfType, typeOids } from './value-order.ts'

export interface MergedRows {
  readonly fields: readonly PgField[]
  readonly rows: readonly TextRow[]
}

/** What merges rows of one description: the same for every answer of a prepared statement. */
interface GroupMerger {
  readonly fields: readonly PgField[]
  readonly makers: readonly (() => Accumulator)[]
  readonly compare: (a: TextRow, b: TextRow) => number
}

const known = new WeakMap<
  AggregateMerge,
  { readonly of: readonly PgField[]; readonly merger: GroupMerger | undefined }
>()

/** Merges partial groups; `undefined` when a type's equality, order or arithmetic is PostgreSQL's alone. */
export function mergeGroups(
  parts: readonly PartialResult[],
  merge: AggregateMerge,
  window: { readonly offset: number; readonly limit: number },
): MergedRows | undefined {
  const merger = mergerOf(merge, parts[0]?.fields ?? emptyFields)
  if (!merger) return undefined
  const { fields, makers, compare } = merger
  const rows = group(parts, merge.groups, makers)
  if (merge.order.length > 0) rows.sort(compare)
  return { fields, rows: rows.slice(window.offset, window.offset + window.limit) }
}

function mergerOf(merge: AggregateMerge, fields: readonly PgField[]): GroupMerger | undefined {
  const last = known.get(merge)
  if (last?.of === fields) return last.merger
  const merger = createMerger(merge, fields)
  known.set(merge, { of: fields, merger })
  return merger
}

function createMerger(merge: AggregateMerge, fields: readonly PgField[]): GroupMerger | undefined {
  const outputFields = merge.outputs.map((output) => outputField(output, fields))
  if (!merge.groups.every((position) => identityOfType(fields[position]?.dataTypeID ?? 0))) return undefined
  const makers = merge.outputs.map((output) => maker(output, fields))
  const compare = rowOrder(merge.order, outputFields)
  if (!makers.every((make) => make !== undefined) || !compare) return undefined
  return { fields: outputFields, makers, compare }
}

function group(
  parts: readonly PartialResult[],
  groups: readonly number[],
  makers: readonly (() => Accumulator)[],
): TextRow[] {
  const found = new Map<string, Accumulator[]>()
  for (const part of parts) {
    for (const row of part.rows) {
      const key = groups.length === 0 ? '' : JSON.stringify(groups.map((position) => row[position]))
      let accumulators = found.get(key)
      if (!accumulators) {
        accumulators = makers.map((make) => make())
        found.set(key, accumulators)
      }
      for (const accumulator of accumulators) accumulator.add(row)
    }
  }
  return [...found.values()].map((accumulators) => accumulators.map((accumulator) => accumulator.result()))
}

function outputField(output: AggregateOutput, fields: readonly PgField[]): PgField {
  const source = output.kind === 'group' ? output.position : sourcePosition(output.aggregate)
  const dataTypeID =
    output.kind === 'aggregate' && output.aggregate.merge === 'avg'
      ? typeOids.numeric
      : (fields[source]?.dataTypeID ?? 0)
  return { name: output.name, dataTypeID, dataTypeModifier: -1 }
}

function sourcePosition(aggregate: InProcessAggregate): number {
  if (aggregate.merge === 'none') return -1
  return aggregate.merge === 'avg' ? aggregate.sum : aggregate.position
}

function maker(output: AggregateOutput, fields: readonly PgField[]): (() => Accumulator) | undefined {
  if (output.kind === 'group') return () => new FirstAccumulator(output.position)
  const { aggregate } = output
  switch (aggregate.merge) {
    case 'count':
      return () => new CountAccumulator(aggregate.position)
    case 'sum': {
      const oid = fields[aggregate.position]?.dataTypeID ?? 0
      return sumIsExact(oid) ? () => new SumAccumulator(aggregate.position, oid) : undefined
    }
    case 'avg':
      return sumIsExact(fields[aggregate.sum]?.dataTypeID ?? 0)
        ? () => new AvgAccumulator(aggregate.sum, aggregate.count)
        : undefined
    case 'min':
    case 'max': {
      const compare = orderOfType(fields[aggregate.position]?.dataTypeID ?? 0)
      return compare && (() => new ExtremeAccumulator(aggregate.position, compare, aggregate.merge === 'min' ? 1 : -1))
    }
    case 'none':
      return undefined
  }
}

/** The value of a group column: the same in all rows of the group. */
class FirstAccumulator implements Accumulator {
  readonly #position: number
  #value: string | null | undefined

  constructor(position: number) {
    this.#position = position
  }

  add(row: readonly (string | null)[]): void {
    this.#value ??= row[this.#position]
  }

  result(): string | null {
    return this.#value ?? null
  }
}
