import type { Schema } from '@shardwright/core'
import type { InsertQueryNode, MergeQueryNode, OperationNode, SelectQueryNode, UpdateQueryNode } from 'kysely'
import { Analyzer, bareQuery } from './analyzer.ts'
import type { Catalog } from './catalog.ts'
import { bindClock } from './clock.ts'
import { compileTemplate } from './compile.ts'
import { type DecomposeContext, decompose, gatherSources, localize, refuseObstacle } from './decompose/decompose.ts'
import { Locality } from './decompose/locality.ts'
import { slots, without } from './decompose/nodes.ts'
import { isWriteLocal } from './decompose/write-local.ts'
import type { MultiShardPlan } from './multi-shard.ts'
import { planStatement } from './planner.ts'
import type { PreparedPlan } from './prepared-plan.ts'
import { refuse } from './refuse.ts'
import { shardedTableOf } from './scope/relation.ts'
import { withClockColumns } from './write/clock-columns.ts'
import { checkMergeInserts } from './write/merge-inserts.ts'
import { planReferenceWrite, repeatedStatement } from './write/reference-write.ts'
import { isSameOnCopies } from './write/same-on-copies.ts'
import { planSplit } from './write/split-insert.ts'
import { planStepwise } from './write/stepwise.ts'
import { withTypedValues } from './write/typed-values.ts'
import { writingCtes } from './write/writing-ctes.ts'

/** Plans how a statement runs over several shards. @throws RoutingError when it cannot. */
export function planMultiShard(original: PreparedPlan, schema: Schema, catalog: Catalog): MultiShardPlan {
  const plan = original.traits.clock.length > 0 ? { ...original, root: bindClock(original.root) } : original
  const context = decomposeContext(plan, schema, catalog)
  if (plan.traits.writes && writingCtes(plan.root).length > 0)
    return planWritingCtes(original, plan, schema, catalog, context)
  const writesReference = plan.accesses.some((access) => access.kind === 'reference' && access.writes)
  if (writesReference || writesOneShard(plan)) return planFixedTarget(original, plan, schema, catalog, context)
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
  // A part of a larger statement goes on counting after the rows that it is given.
  let step = Math.max(0, ...[...plan.gathered.keys()].map(slots.numberOf))
  return {
    nextStep: () => ++step,
    analyze: (root, gathered) => {
      const analyzer = new Analyzer(schema, catalog, plan.parameters, new Map([...plan.gathered, ...gathered]))
      analyzer.analyze(root as PreparedPlan['root'])
      return analyzer
    },
  }
}

function writesOneShard(plan: PreparedPlan): boolean {
  return plan.accesses.some((access) => access.kind === 'single' && access.writes)
}

/** The target's rows do not depend on a key: what the write reads of other shards is read first. */
function planFixedTarget(
  original: PreparedPlan,
  plan: PreparedPlan,
  schema: Schema,
  catalog: Catalog,
  context: DecomposeContext,
): MultiShardPlan {
  const { rewritten, gathers, gathered } = gatherSources(plan.root, context)
  if (gathers.length === 0) return { kind: 'reference', write: planReferenceWrite(original, schema, catalog) }
  refuseVolatile(plan)
  const known = new Map([...plan.gathered, ...gathered])
  const main = planStatement(rewritten as PreparedPlan['root'], schema, catalog, plan.parameters, known)
  return { kind: 'steps', reads: gathers, steps: [], main }
}

/** Each part on the shards of its rows, when they are the same ones; else one part after the other. */
function planWritingCtes(
  original: PreparedPlan,
  plan: PreparedPlan,
  schema: Schema,
  catalog: Catalog,
  context: DecomposeContext,
): MultiShardPlan {
  refuseVolatile(plan)
  if (original.accesses.every((access) => access.kind === 'reference') && isSameOnCopies(original, schema, catalog)) {
    return { kind: 'reference', write: repeatedStatement(original) }
  }
  return pushedWhole(plan, context) ?? planStepwise(plan, schema, catalog, context)
}

/** All parts local to each shard: `with moved as (delete ... returning *) insert into ... select * from moved`. */
function pushedWhole(plan: PreparedPlan, context: DecomposeContext): MultiShardPlan | undefined {
  if (plan.accesses.some((access) => access.kind !== 'sharded' && (access.kind !== 'reference' || access.writes)))
    return undefined
  const analyzer = context.analyze(plan.root, new Map())
  const locality = new Locality(analyzer)
  if (!writingCtes(plan.root).every((expression) => isWriteLocal(bareQuery(expression.expression), locality))) {
    return undefined
  }
  const main = plan.root as SelectQueryNode
  if (main.orderBy || main.endModifiers?.length || locality.spreadOf(main) !== 'sharded') return undefined
  return { kind: 'broadcast', gathers: [], template: compileTemplate(main, analyzer.parameters) }
}

// Each row gets a value of its own from these, wherever it is computed.
export const independent: ReadonlySet<string> = new Set([
  'random',
  'gen_random_uuid',
  'uuidv4',
  'uuid_generate_v4',
  'uuidv7',
  'random_normal',
])

export function refuseVolatile(plan: PreparedPlan): void {
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
    const described = catalog.table(split.table.schema, split.table.table)
    const timed = withClockColumns(root as InsertQueryNode, inner as SelectQueryNode, described)
    return { kind: 'broadcast', gathers, template: compileTemplate(timed, analyzer.parameters) }
  }
  const described = catalog.table(split.table.schema, split.table.table)
  const ordered = select.limit || select.offset || select.fetch || select.distinctOn || node.returning
  const plain = ordered ? select : without(select, 'orderBy')
  const withCtes = node.with ? ({ ...plain, with: node.with } as SelectQueryNode) : plain
  return {
    kind: 'insert-select',
    node,
    table: split.table,
    position: split.position,
    source: decompose(withTypedValues(node, withCtes, described), context),
    // DO UPDATE must see all rows at once, and so must a foreign key to the table itself.
    chunked: !node.onConflict?.updates?.length && described?.refersToItself === false,
  }
}
