import type { Schema } from '@shardwright/core'
import type {
  CommonTableExpressionNode,
  DeleteQueryNode,
  InsertQueryNode,
  MergeQueryNode,
  OperationNode,
  RootOperationNode,
  SelectQueryNode,
  UpdateQueryNode,
} from 'kysely'
import { FromNode } from 'kysely'
import { Analyzer } from '../analyzer.ts'
import type { Catalog } from '../catalog.ts'
import { compileTemplate } from '../compile.ts'
import { type DecomposeContext, decompose } from '../decompose/decompose.ts'
import { selectGather, slots, without } from '../decompose/nodes.ts'
import { TableReplacements } from '../decompose/table-replacements.ts'
import { gatheredTable, rowsOfTable } from '../decompose/table-rows.ts'
import { dropUnusedCtes } from '../decompose/unread-ctes.ts'
import type { GatherStep } from '../merge-plan.ts'
import type { MultiShardWork, WriteStep } from '../multi-shard.ts'
import { planStatement } from '../planner.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { refuse } from '../refuse.ts'
import { bareQuery } from '../scope/query-node.ts'
import { withExpressions, writingCtes } from './writing-ctes.ts'

type Gathered = Map<string, readonly string[] | undefined>

/** Slots of rows that steps give, beyond those of the gathers inside a step. */
const firstStep = 5000

/**
 * A statement whose CTEs write, taken apart: first what must be read before any write, then one write after the other,
 * last the statement itself over the rows that they returned. PostgreSQL runs all parts on one snapshot, so a table that
 * one part writes and a later one reads is read beforehand.
 * @throws RoutingError CROSS_SHARD_WRITE
 */
export function planStepwise(
  plan: PreparedPlan,
  schema: Schema,
  catalog: Catalog,
  context: DecomposeContext,
): MultiShardWork {
  return new Stepwise(plan, schema, catalog, context).plan()
}

class Stepwise {
  readonly #plan: PreparedPlan
  readonly #schema: Schema
  readonly #catalog: Catalog
  readonly #context: DecomposeContext
  readonly #gathered: Gathered
  readonly #reads: GatherStep[] = []
  readonly #steps: WriteStep[] = []
  readonly #written = new Set<string>()
  #reaches: string | undefined
  #next = firstStep

  constructor(plan: PreparedPlan, schema: Schema, catalog: Catalog, context: DecomposeContext) {
    this.#plan = plan
    this.#schema = schema
    this.#catalog = catalog
    this.#context = context
    this.#gathered = new Map(plan.gathered)
  }

  plan(): MultiShardWork {
    const { root } = this.#plan
    const { with: clause } = root as SelectQueryNode
    const writing = new Set(writingCtes(root))
    const before: CommonTableExpressionNode[] = []
    for (const expression of clause?.expressions ?? []) {
      before.push(writing.has(expression) ? this.#step(expression, before, clause?.recursive) : expression)
    }
    const main = withExpressions(without(root as SelectQueryNode, 'with'), before, clause?.recursive)
    const part = this.#part(dropUnusedCtes(main))
    return { kind: 'steps', reads: this.#reads, steps: this.#steps, main: part }
  }

  /** Plans a CTE that writes; the CTE that stands for the rows it returns. */
  #step(
    expression: CommonTableExpressionNode,
    before: readonly CommonTableExpressionNode[],
    recursive: boolean | undefined,
  ): CommonTableExpressionNode {
    const query = dropUnusedCtes(withExpressions(bareQuery(expression.expression), before, recursive))
    const plan = this.#part(query)
    const number = this.#next++
    const returning = (query as InsertQueryNode).returning !== undefined
    const analyzer = new Analyzer(this.#schema, this.#catalog, this.#plan.parameters, this.#gathered)
    analyzer.analyze(plan.root)
    const block = analyzer.knownBlock(plan.root)
    this.#gathered.set(slots.gather(number), analyzer.columnsOf(plan.root, block.environment, block.parent))
    const name = expression.name.table.table.identifier.name
    const shape = returning ? compileTemplate(shapeOf(plan.root), this.#plan.parameters) : undefined
    this.#steps.push({ step: number, part: name, plan, shape })
    return { ...expression, expression: selectGather(number) as CommonTableExpressionNode['expression'] }
  }

  #part(query: OperationNode): PreparedPlan {
    const root = this.#readBefore(query) as RootOperationNode
    const plan = planStatement(root, this.#schema, this.#catalog, this.#plan.parameters, new Map(this.#gathered))
    this.#noteTarget(root)
    return plan
  }

  /** Tables that an earlier part has written, and this one reads: their rows as they were. */
  #readBefore(query: OperationNode): OperationNode {
    const analyzer = new Analyzer(this.#schema, this.#catalog, this.#plan.parameters, this.#gathered)
    analyzer.analyze(query as RootOperationNode)
    const tables = new TableReplacements()
    for (const [level, block] of analyzer.levels) {
      for (const relation of block.relations) {
        const { source } = relation
        if (source.kind !== 'table' && source.kind !== 'system') continue
        if (this.#reaches !== undefined) refuseReach(this.#reaches)
        if (source.kind !== 'table' || !this.#written.has(source.placement.name)) continue
        if (level.kind !== 'SelectQueryNode' && relation === block.relations[0]) refuseTwice(source.placement.name)
        const { query: rows, columns } = rowsOfTable(relation, block, query, analyzer)
        const step = this.#next++
        const part = `'${relation.alias}' as it was before the write`
        this.#reads.push({ step, part, plan: decompose(rows, this.#context) })
        this.#gathered.set(slots.gather(step), columns)
        tables.add(relation, block, gatheredTable(step, relation))
      }
    }
    return tables.tables.length === 0 ? query : tables.in(query, analyzer)
  }

  #noteTarget(root: RootOperationNode): void {
    const analyzer = new Analyzer(this.#schema, this.#catalog, this.#plan.parameters, this.#gathered)
    analyzer.analyze(root)
    const target = root.kind === 'SelectQueryNode' ? undefined : analyzer.knownBlock(root).relations[0]
    if (target?.source.kind !== 'table') return
    const { placement } = target.source
    this.#written.add(placement.name)
    if (this.#catalog.table(placement.schema, placement.table)?.reaches) this.#reaches ??= placement.name
  }
}

/** `select <returning> from <target and sources>`: what is returned, asked without writing, for its collations. */
function shapeOf(root: OperationNode): OperationNode {
  const { returning, joins } = root as UpdateQueryNode
  return {
    kind: 'SelectQueryNode',
    from: FromNode.create(itemsOf(root)),
    selections: returning?.selections ?? [],
    ...(joins ? { joins } : {}),
    ...((root as UpdateQueryNode).with ? { with: (root as UpdateQueryNode).with } : {}),
  } as OperationNode
}

function itemsOf(root: OperationNode): readonly OperationNode[] {
  switch (root.kind) {
    case 'InsertQueryNode':
      return [(root as InsertQueryNode).into as OperationNode]
    case 'UpdateQueryNode': {
      const { table, from } = root as UpdateQueryNode
      return [table as OperationNode, ...(from?.froms ?? [])]
    }
    case 'DeleteQueryNode': {
      const { from, using } = root as DeleteQueryNode
      return [...from.froms, ...(using?.tables ?? [])]
    }
    default: {
      const { into, using } = root as MergeQueryNode
      // `returning *` of MERGE gives the source first.
      return [...(using ? [using.table] : []), into]
    }
  }
}

function refuseReach(table: string): never {
  return refuse(
    'CROSS_SHARD_WRITE',
    `A write to '${table}' may change other tables (triggers, cascades), and a later part of the statement reads one.`,
    'Run the parts as statements of their own, in one atomic transaction.',
    { table },
  )
}

function refuseTwice(table: string): never {
  return refuse(
    'CROSS_SHARD_WRITE',
    `Two parts of the statement write '${table}' on several shards: which of them comes first is not defined.`,
    'Run them as statements of their own, in one atomic transaction.',
    { table },
  )
}
