/** A piece of Kysely code: text, or a query in it that can be shrunk too. */
export type Part = string | Query

/** One method call of a query builder: the unit that shrinking drops. */
export interface Step {
  /** The clause, for the counts. */
  readonly tag: string
  readonly parts: readonly Part[]
  /** Other clauses in its text. */
  readonly more?: readonly string[]
  /** Without it the query would be no query. */
  readonly keep?: boolean
  /** Smaller forms of the same call, tried when the call cannot be dropped. */
  readonly smaller?: readonly (readonly Part[])[]
  /** For ORDER BY: the output that it sorts by, when the result shows its order. */
  readonly output?: string
  /** For ORDER BY: no two rows are equal in it. */
  readonly total?: boolean
}

/** A query as Kysely code: `db.selectFrom('t')` and the calls after it. */
export interface Query {
  readonly head: readonly Part[]
  readonly steps: readonly Step[]
}

export function render(part: Part, indent = ''): string {
  if (typeof part === 'string') return part
  const deeper = `${indent}  `
  const head = part.head.map((own) => render(own, deeper)).join('')
  return head + part.steps.map((step) => `\n${deeper}${step.parts.map((own) => render(own, deeper)).join('')}`).join('')
}

/** Clauses that stand inside expressions. */
const marks: readonly (readonly [clause: string, mark: RegExp])[] = [
  ['exists', /eb\.exists\(/],
  ['any/all', /eb\.fn\.any\(|eb\.fn\('(?:any|all)'/],
  ['tuple', /eb\.refTuple\(/],
  ['is distinct from', /'is (?:not )?distinct from'/],
  ['filter', /\.filterWhere\(/],
]

/** The clauses of a query, at any depth. */
export function tagsOf(query: Query, tags = new Set<string>()): Set<string> {
  const visit = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (typeof part !== 'string') tagsOf(part, tags)
      else for (const [clause, mark] of marks) if (mark.test(part)) tags.add(clause)
    }
  }
  visit(query.head)
  for (const { tag, more = [], parts } of query.steps) {
    for (const clause of [tag, ...more]) tags.add(clause)
    visit(parts)
  }
  return tags
}

/** Every query that is one step smaller. */
export function* smallerQueries(query: Query): Generator<Query> {
  for (const [index, step] of query.steps.entries()) {
    const replaced = (...steps: Step[]): Query => ({ ...query, steps: query.steps.toSpliced(index, 1, ...steps) })
    if (!step.keep) yield replaced()
    for (const parts of step.smaller ?? []) yield replaced({ ...step, parts, smaller: [] })
    for (const parts of smallerParts(step.parts)) yield replaced({ ...step, parts })
  }
  for (const head of smallerParts(query.head)) yield { ...query, head }
}

function* smallerParts(parts: readonly Part[]): Generator<readonly Part[]> {
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'string') continue
    for (const smaller of smallerQueries(part)) yield parts.toSpliced(index, 1, smaller)
  }
}

export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
