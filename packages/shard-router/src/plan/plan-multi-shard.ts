import type { Schema } from '@shardwright/core'
import type { InsertQueryNode, MergeQueryNode, OperationNode, SelectQueryNode, UpdateQueryNode } from 'kysely'
import { Analyzer } from './analyzer.ts'
import type { Catalog } from './catalog.ts'
import { asksMoment, bindClock } from './clock.ts'
import { compileTemplate } from './compile.ts'
import { type DecomposeContext, decompose, gatherSources, localize, refuseObstacle } from './decompose/decompose.ts'
import { Locality } from './decompose/locality.ts'
import { slots, without } from './decompose/nodes.ts'
import { isWriteLocal } from './decompose/write-local.ts'
import { independent } from './independent-functions.ts'
import type { MultiShardPlan, MultiShardWork } from './multi-shard.ts'
import { planStatement } from './planner.ts'
import type { PreparedPlan } from './prepared-plan.ts'
import { refuse } from './refuse.ts'
import { bareQuery } from './scope/query-node.ts'
import { shardedTableOf } from './scope/relation.ts'
import { withUnreadLists } from './unread-lists.ts'
import { BoundDefaults } from './write/bind-defaults.ts'
import { LeftDefaults } from './write/left-defaults.ts'
import { checkMergeInserts } from './write/merge-inserts.ts'
import { planReferenceWrite, repeatedStatement } from './write/reference-write.ts'
import { isSameOnCopies } from './write/same-on-copies.ts'
import { refuseSharedDefaults, sharedDefault } from './write/shared-defaults.ts'
import { insertTarget, planSplit } from './write/split-insert.ts'
import { planStepwise } from './write/stepwise.ts'
import { withTypedValues } from './write/typed-values.ts'
import { writingCtes } from './write/writing-ctes.ts'

/** Plans how a statement runs over several shards. @throws RoutingError when it cannot. */
export function planMultiShard(original: PreparedPlan, schema: Schema, catalog: Catalog): MultiShardPlan {
  const asked = original.traits.queries > 1 ? withUnreadLists(original.root, catalog) : original.root
  const clocked = original.traits.clock.length > 0 ? bindClock(asked) : asked
  const left = new LeftDefaults(schema, catalog, original)
  // The rows of VALUES are many: what they lack is added where they are split.
  const bound = original.traits.writes && !isValuesInsert(clocked)
  const root = bound ? new BoundDefaults(left, original.parameters).in(clocked) : clocked
  const plan = root === original.root ? original : { ...original, root }
  const work = planBound(original, plan, { schema, catalog, left }, decomposeContext(plan, schema, catalog))
  if (work.kind === 'split') return work
  // The first copy of a reference table computes its values itself.
  return { ...work, moment: work.kind !== 'reference' && root !== original.root && asksMoment(root) }
}

interface Planning {
  readonly schema: Schema
  readonly catalog: Catalog
  readonly left: LeftDefaults
}

/** `plan` has the moments of the statement in the place of clocks. */
function planBound(
  original: PreparedPlan,
  plan: PreparedPlan,
  planning: Planning,
  context: DecomposeContext,
): MultiShardWork {
  const { schema, catalog } = planning
  if (plan.traits.writes && writingCtes(plan.root).length > 0) return planWritingCtes(original, plan, planning, context)
  const writesReference = plan.accesses.some((access) => access.kind === 'reference' && access.writes)
  if (writesReference || writesOneShard(plan)) return planFixedTarget(original, plan, schema, catalog, context)
  switch (plan.kind) {
    case 'select':
      refuseVolatile(plan)
      return { kind: 'fan-out', merge: decompose(plan.root, context) }
    case 'insert':
      return planInsert(plan, planning, context)
    default:
      refuseSharedDefaults(plan.root, planning.left)
      return planBroadcast(plan, context)
  }
}

function isValuesInsert(root: OperationNode): boolean {
  const { values, with: ctes } = root as InsertQueryNode
  return root.kind === 'InsertQueryNode' && values?.kind === 'ValuesNode' && ctes === undefined
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
): MultiShardWork {
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
  { schema, catalog, left }: Planning,
  context: DecomposeContext,
): MultiShardWork {
  refuseVolatile(plan)
  if (original.accesses.every((access) => access.kind === 'reference') && isSameOnCopies(original, left)) {
    return { kind: 'reference', write: repeatedStatement(original) }
  }
  // A part that is on one shard may take a value from that shard's sequence.
  const whole = sharedDefault(plan.root, left) ? undefined : pushedWhole(plan, context)
  return whole ?? planStepwise(plan, schema, catalog, context)
}

/** All parts local to each shard: `with moved as (delete ... returning *) insert into ... select * from moved`. */
function pushedWhole(plan: PreparedPlan, context: DecomposeContext): MultiShardWork | undefined {
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

export function refuseVolatile(plan: PreparedPlan): void {
  const name = plan.traits.volatile.find((candidate) => !independent.has(candidate))
  if (name === undefined) return
  refuse(
    'VOLATILE_IN_SPLIT',
    `${name.startsWith("'") ? name : `${name}()`} would be computed on each shard anew, and one PostgreSQL would compute it once.`,
    'Compute the value in the service and pass it as a parameter.',
    { function: name },
  )
}

function planBroadcast(plan: PreparedPlan, context: DecomposeContext): MultiShardWork {
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

function planInsert(plan: PreparedPlan, planning: Planning, context: DecomposeContext): MultiShardWork {
  refuseVolatile(plan)
  const node = plan.root as InsertQueryNode
  const values = node.values && bareQuery(node.values)
  if (values?.kind !== 'SelectQueryNode') return planSplit(plan, planning.schema, planning.catalog)
  return planInsertSelect(node, values as SelectQueryNode, plan, planning, context)
}

/** INSERT ... SELECT whose selected key is the key of the rows it reads runs on each shard; else its rows travel. */
function planInsertSelect(
  node: InsertQueryNode,
  select: SelectQueryNode,
  plan: PreparedPlan,
  { schema, catalog, left }: Planning,
  context: DecomposeContext,
): MultiShardWork {
  const { table, position } = insertTarget(plan, schema, catalog)
  refuseSharedDefaults(node, left)
  const { root, analyzer, locality, gathers } = localize(node, context)
  const inner = bareQuery((root as InsertQueryNode).values as OperationNode)
  const block = analyzer.knownBlock(inner)
  const own = analyzer.exportsOf(inner, block.environment, block.parent)[position]
  if (locality.spreadOf(inner) === 'sharded' && own?.family === table.family && !own.nullable) {
    return { kind: 'broadcast', gathers, template: compileTemplate(root, analyzer.parameters) }
  }
  const described = left.describe(table)
  const ordered = select.limit || select.offset || select.fetch || select.distinctOn || node.returning
  const plain = ordered ? select : without(select, 'orderBy')
  const withCtes = node.with ? ({ ...plain, with: node.with } as SelectQueryNode) : plain
  return {
    kind: 'insert-select',
    node,
    table,
    position,
    source: decompose(withTypedValues(node, withCtes, described), context),
    // DO UPDATE must see all rows at once, and so must a foreign key to the table itself.
    chunked: !node.onConflict?.updates?.length && described?.refersToItself === false,
  }
}
