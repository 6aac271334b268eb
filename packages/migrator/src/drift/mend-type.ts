import { quoteLiteral } from '../sql/quote.ts'
import type { CatalogObject } from './catalog-object.ts'

type Parts = NonNullable<CatalogObject['parts']>

/** Statements that turn one type into the other in place; undefined where PostgreSQL has none. */
export function mendType(
  { parts: expected }: CatalogObject,
  { parts: found }: CatalogObject,
): readonly string[] | undefined {
  if (!expected || !found || expected.target !== found.target) return undefined
  if (expected.labels && found.labels) return mendEnum(expected, found)
  if (expected.constraints && found.constraints) return mendDomain(expected, found)
  return expected.attributes && found.attributes ? mendComposite(expected, found) : undefined
}

/** Labels can be added, never taken away. */
function mendEnum(expected: Parts, found: Parts): readonly string[] | undefined {
  const wanted = listOf<string>(expected.labels)
  const there = listOf<string>(found.labels)
  if (wanted.filter((label) => there.includes(label)).join('\0') !== there.join('\0')) return undefined
  return wanted.flatMap((label, at) => {
    if (there.includes(label)) return []
    const before = wanted[at - 1]
    const place =
      before === undefined
        ? there[0] === undefined
          ? ''
          : ` before ${quoteLiteral(there[0])}`
        : ` after ${quoteLiteral(before)}`
    return [`${expected.target} add value ${quoteLiteral(label)}${place}`]
  })
}

function mendDomain(expected: Parts, found: Parts): readonly string[] | undefined {
  if (expected.base !== found.base) return undefined
  const wanted = Object.entries(JSON.parse(expected.constraints ?? '{}') as Record<string, string>)
  const there = Object.entries(JSON.parse(found.constraints ?? '{}') as Record<string, string>)
  const isIn = (list: typeof wanted, [name, text]: readonly [string, string]) =>
    list.some((other) => other[0] === name && other[1] === text)
  const statements = [
    ...there.filter((entry) => !isIn(wanted, entry)).map(([name]) => `drop constraint ${name}`),
    ...wanted.filter((entry) => !isIn(there, entry)).map(([name, text]) => `add constraint ${name} ${text}`),
  ]
  if (expected.default !== found.default) {
    statements.push(expected.default == null ? 'drop default' : `set default ${expected.default}`)
  }
  if (expected.notNull !== found.notNull) statements.push(`${expected.notNull == null ? 'drop' : 'set'} not null`)
  return statements.map((statement) => `${expected.target} ${statement}`)
}

type Attribute = readonly [name: string, type: string]

/** Attributes are added at the end only: undefined where another order is expected. */
function mendComposite(expected: Parts, found: Parts): readonly string[] | undefined {
  const wanted = listOf<Attribute>(expected.attributes)
  const there = listOf<Attribute>(found.attributes)
  const kept = there.filter(([name]) => wanted.some(([own]) => own === name))
  if (kept.some(([name], at) => wanted[at]?.[0] !== name)) return undefined
  const typeOf = (name: string) => there.find(([own]) => own === name)?.[1]
  return [
    ...there.filter((attribute) => !kept.includes(attribute)).map(([name]) => `drop attribute ${name}`),
    ...wanted.flatMap(([name, type], at) => {
      if (at >= kept.length) return [`add attribute ${name} ${type}`]
      return typeOf(name) === type ? [] : [`alter attribute ${name} type ${type}`]
    }),
  ].map((statement) => `${expected.target} ${statement}`)
}

function listOf<T>(text: string | null | undefined): readonly T[] {
  return JSON.parse(text ?? '[]') as readonly T[]
}
