/** A node of EXPLAIN (FORMAT JSON); the parts that are read. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Plan Rows'?: number
  readonly 'Relation Name'?: string
  readonly Schema?: string
  readonly Filter?: string
  readonly 'Join Filter'?: string
  readonly 'Parent Relationship'?: string
  readonly Plans?: readonly PlanNode[]
}

/** What a plan does that an index could spare. */
export type PlanFinding =
  | { readonly kind: 'seq-scan'; readonly table: string; readonly filter: string; readonly columns: readonly string[] }
  | { readonly kind: 'nested-loop'; readonly table: string; readonly outerRows: number }

export interface PlanLimits {
  /** Rows of a table, by `schema.table`; what is not there is small. */
  readonly rowsOf: ReadonlyMap<string, number>
  /** Tables with fewer rows may be read whole. */
  readonly largeRows: number
}

/** Of so much of a table an index scan would not be quicker. */
const largeShare = 0.1
const manyLoops = 100

/**
 * Whole reads of large tables for few rows, and loops that read a table whole again for each row.
 * @example
 * readPlan(plan, { rowsOf: new Map([['public.orders', 2_000_000]]), largeRows: 10_000 })
 */
export function readPlan(root: PlanNode, limits: PlanLimits): readonly PlanFinding[] {
  const findings: PlanFinding[] = []
  walk(root, 1)
  return findings

  function walk(node: PlanNode, loops: number): void {
    const table = tableOf(node)
    if (table !== undefined && node['Node Type'] === 'Seq Scan') look(node, table, loops)
    const [outer, inner] = node.Plans ?? []
    if (node['Node Type'] === 'Nested Loop' && outer && inner) {
      walk(outer, loops)
      // What is kept in memory is read once, however often it is looped over.
      walk(inner, inner['Node Type'] === 'Materialize' ? loops : loops * (outer['Plan Rows'] ?? 1))
      return
    }
    for (const child of node.Plans ?? []) walk(child, loops)
  }

  function look(node: PlanNode, table: string, loops: number): void {
    const rows = limits.rowsOf.get(table) ?? 0
    if (loops >= manyLoops && rows * loops >= limits.largeRows * manyLoops) {
      findings.push({ kind: 'nested-loop', table, outerRows: loops })
      return
    }
    const { Filter: filter } = node
    if (filter === undefined || rows < limits.largeRows || (node['Plan Rows'] ?? 0) > rows * largeShare) return
    findings.push({ kind: 'seq-scan', table, filter, columns: comparedColumns(filter) })
  }
}

function tableOf({ Schema: schema, 'Relation Name': relation }: PlanNode): string | undefined {
  return relation === undefined ? undefined : `${schema ?? 'public'}.${relation}`
}

/** Columns that the filter compares with something, as far as its text tells: `((o.user_id = $1) AND (o.note ~~ $2))`. */
function comparedColumns(filter: string): readonly string[] {
  const compared = /(?:^|[(\s])(?:[\w"]+\.)?("?[a-z_][\w$]*"?)\)?(?:::[\w ]+)?\s*(?:=|<=|>=|<|>)\s/gi
  return [...new Set([...filter.matchAll(compared)].map(([, column]) => column as string))]
}
