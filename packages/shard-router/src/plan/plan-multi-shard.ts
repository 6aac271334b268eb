import type { Schema } from '@shardwright/core'
import type { InsertQueryNode, MergeQueryNode, OperationNode, SelectQueryNode, UpdateQueryNode } from 'kysely'
import { Analyzer, bareQuery } from './analyzer.ts'
import type { Catalog } from './catalog.ts'
import { bindClock } from './clock.ts'
import { compileTemplate } from './compile.ts'
import { type DecomposeContext, decompose, localize, refuseObstacle } from './decompose/decompose.ts'
import type { MultiShardPlan } from './multi-shard.ts'
import type { PreparedPlan } from './prepared-plan.ts'
import { refuse } from './refuse.ts'
import { isQuery } from './scope/from-clause.ts'
import { shardedTableOf } from './scope/relation.ts'
import { childrenOf } from './walk.ts'
import { checkMergeInserts } from './write/merge-inserts.ts'
import { planReferenceWrite } from './write/reference-write.ts'
import { planSplit } from './write/split-insert.ts'
import { withTypedValues } from './write/typed-values.ts'

/** Plans how a statement runs over several shards. @throws RoutingError when it cannot. */
export function planMultiShard(original: PreparedPlan, schema: Schema, catalog: Catalog): MultiShardPlan {
  const plan = original.traits.clock.length > 0 ? { ...original, root: bindClock(original.root) } : original
  const context = decomposeContext(plan, schema, catalog)
  refuseWritingCtes(plan)
  const writesReference = plan.accesses.some((access) => access.kind === 'reference' && access.writes)
  if (writesReference) return { kind: 'reference', write: planReferenceWrite(original, schema, catalog) }
  switch (plan.kind) {
    case 'select':
      refuseVolatile(plan)
      return { kind: 'fan-out', merge: decompose(plan.root, context) }
    case 'insert':
      return planInsert(plan, schema, catalog, context)
    default:
      return planBroadcast(plan, context)
  }
}

function decomposeContext(plan: PreparedPlan, schema: Schema, catalog: Catalog): DecomposeContext {
  let step = 0
  return {
    nextStep: () => ++step,
    analyze: (root, gathered) => {
      const analyzer = new Analyzer(schema, catalog, plan.parameters, gathered)
      analyzer.analyze(root as PreparedPlan['root'])
      return analyzer
    },
  }
}

/** A data-modifying CTE would run once per shard. */
function refuseWritingCtes(plan: PreparedPlan): void {
  if (!plan.traits.writes) return
  const visit = (node: OperationNode, top: boolean): void => {
    const merged = plan.kind === 'merge'
    if (!top && isQuery(node) && node.kind !== 'SelectQueryNode' && !merged) {
      refuse(
        'CROSS_SHARD_WRITE',
        'A statement with a CTE that writes runs on one shard only.',
        'Give the shard key, or run the two statements in one atomic transaction.',
      )
    }
    for (const child of childrenOf(node)) visit(child, false)
  }
  visit(plan.root, true)
}

// Each row gets a value of its own from these, wherever it is computed.
const independent = new Set(['random', 'gen_random_uuid', 'uuidv4', 'uuid_generate_v4', 'uuidv7', 'random_normal'])

function refuseVolatile(plan: PreparedPlan): void {
  const name = plan.traits.volatile.find((candidate) => !independent.has(candidate))
  if (name === undefined) return
  refuse(
    'VOLATILE_IN_SPLIT',
    `${name}() would be computed on each shard anew, and one PostgreSQL would compute it once.`,
    'Compute the value in the service and pass it as a parameter.',
    { function: name },
  )
}

function planBroadcast(plan: PreparedPlan, context: DecomposeContext): MultiShardPlan {
  refuseVolatile(plan)
  const { root, analyzer, locality, gathers } = localize(plan.root, context)
  const block = analyzer.knownBlock(root)
  const obstacle = locality.obstacle(root, block)
  if (obstacle) refuseObstacle(obstacle)
  const target = block.relations[0]
  if (target && locality.spreadOfRelation(target) !== 'sharded') {
    return refuse(
      'CROSS_SHARD_WRITE',
      `'${target.alias}' is not sharded, and the statement needs several shards.`,
      'Read the other tables first, and pass what was found as parameters.',
    )
  }
  refuseKeyUpdate(plan.root)
  const table = target && shardedTableOf(target)
  if (plan.kind === 'merge' && table) checkMergeInserts(root as MergeQueryNode, table, block, locality)
  return { kind: 'broadcast', gathers, template: compileTemplate(root, analyzer.parameters) }
}

function refuseKeyUpdate(root: OperationNode): void {
  if (root.kind === 'UpdateQueryNode' && (root as UpdateQueryNode).limit) {
    refuse('UNSUPPORTED_NODE', 'UPDATE has no LIMIT in PostgreSQL.', 'Select the rows first.')
  }
}

function planInsert(plan: PreparedPlan, schema: Schema, catalog: Catalog, context: DecomposeContext): MultiShardPlan {
  refuseVolatile(plan)
  const node = plan.root as InsertQueryNode
  const values = node.values && bareQuery(node.values)
  if (values?.kind !== 'SelectQueryNode') return planSplit(plan, schema, catalog)
  return planInsertSelect(node, values as SelectQueryNode, plan, schema, catalog, context)
}

/** INSERT ... SELECT whose selected key is the key of the rows it reads runs on each shard; else its rows travel. */
function planInsertSelect(
  node: InsertQueryNode,
  select: SelectQueryNode,
  plan: PreparedPlan,
  schema: Schema,
  catalog: Catalog,
  context: DecomposeContext,
): MultiShardPlan {
  const split = planSplit(plan, schema, catalog)
  if (split.kind !== 'split') return split
  const { root, analyzer, locality, gathers } = localize(node, context)
  const inner = bareQuery((root as InsertQueryNode).values as OperationNode)
  const block = analyzer.knownBlock(inner)
  const own = analyzer.exportsOf(inner, block.environment, block.parent)[split.position]
  if (locality.spreadOf(inner) === 'sharded' && own?.family === split.table.family && !own.nullable) {
    return { kind: 'broadcast', gathers, template: compileTemplate(root, analyzer.parameters) }
  }
  const withCtes = node.with ? ({ ...select, with: node.with } as SelectQueryNode) : select
  return {
    kind: 'insert-select',
    node,
    table: split.table,
    position: split.position,
    source: decompose(withTypedValues(node, withCtes, catalog.table(split.table.schema, split.table.table)), context),
  }
}
