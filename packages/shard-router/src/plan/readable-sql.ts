import { slots } from './decompose/nodes.ts'

const slot = /"(shardwright:(gather|type|outputs):?(\d*))"/g

/** A template's SQL for people: what stands for travelling rows is named by what they are. */
export function readableSql(sql: string, parts: ReadonlyMap<number, string>): string {
  return sql.replaceAll(slot, (_, name: string, kind: string, number: string) => {
    if (name === slots.outputs) return '*'
    if (kind === 'type') return `<type of c${Number(number) + 1}>`
    return Number(number) === 0 ? '<partial rows>' : `<rows of ${parts.get(Number(number)) ?? 'an earlier part'}>`
  })
}
