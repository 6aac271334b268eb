import type { PgField } from '@shardwright/core'
import type { InProcessAggregate } from '../plan/aggregate/decomposable.ts'
import type { AggregateMerge, AggregateOutput } from '../plan/merge-plan.ts'
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

/** Merges partial groups; `undefined` when a type's equality, order or arithmetic is PostgreSQL's alone. */
export function mergeGroups(
  parts: readonly PartialResult[],
  merge: AggregateMerge,
  window: { readonly offset: number; readonly limit: number },
): MergedRows | undefined {
  const fields = parts[0]?.fields ?? []
  const outputFields = merge.outputs.map((output) => outputField(output, fields))
  if (!merge.groups.every((position) => identityOfType(fields[position]?.dataTypeID ?? 0))) return undefined
  const makers = merge.outputs.map((output) => maker(output, fields))
  if (makers.some((make) => make === undefined)) return undefined
  const compare = rowOrder(merge.order, outputFields)
  if (!compare) return undefined
  const rows = group(parts, merge.groups, makers as (() => Accumulator)[])
  if (merge.order.length > 0) rows.sort(compare)
  return { fields: outputFields, rows: rows.slice(window.offset, window.offset + window.limit) }
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
