import type { CommonTableExpressionNode, OperationNode, SelectQueryNode, TableNode, WithNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { compileTemplate } from '../compile.ts'
import type { GatherStep, MergePlan } from '../merge-plan.ts'
import { refuse } from '../refuse.ts'
import { bareQuery } from '../scope/query-node.ts'
import type { Cte, CteEnvironment } from '../scope/relation.ts'
import { childrenOf } from '../walk.ts'
import { decomposeLevel } from './decompose-level.ts'
import { withDependentGroups } from './dependent-groups.ts'
import { Locality } from './locality.ts'
import { selectGather, slots, without } from './nodes.ts'
import { refuseLocks } from './order.ts'
import { withOrdinals } from './ordinals.ts'
import { withOwnConstants } from './own-constants.ts'
import { TableReplacements } from './table-replacements.ts'
import { gatheredTable } from './table-rows.ts'
import { dropUnusedCtes } from './unread-ctes.ts'
import { isSelfReading, refuseCorrelated, sourceParts, type WholePart, wholeParts } from './whole-parts.ts'

/** What decomposing needs besides the tree; shared by the parts of one statement. */
export interface DecomposeContext {
  /** A fresh analysis of a (rewritten) tree. */
  analyze(root: OperationNode, gathered: ReadonlyMap<string, readonly string[] | undefined>): Analyzer
  nextStep(): number
}

/** A tree whose parts can all run shard by shard, and the steps that must run before. */
export interface Localized {
  readonly root: OperationNode
  readonly analyzer: Analyzer
  readonly locality: Locality
  readonly gathers: readonly GatherStep[]
}

/**
 * Plans a SELECT over several shards.
 * @throws RoutingError CROSS_SHARD_JOIN, CROSS_SHARD_SUBQUERY, UNSUPPORTED_MERGE, RAW_SQL_NOT_UNDERSTOOD
 */
export function decompose(root: OperationNode, context: DecomposeContext): MergePlan {
  const localized = localize(withOrdinals(root), context)
  const node = localized.root as SelectQueryNode
  if (localized.locality.spreadOf(node) === 'everywhere') return runOnce(localized)
  if (node.setOperations) {
    // Each arm takes its own parts along: from the tree as it was.
    return isWholeLocal(node, localized) ? runEverywhere(localized) : decomposeArms(unlocalized(root, context), context)
  }
  const block = localized.analyzer.knownBlock(node)
  const obstacle = localized.locality.obstacle(node, block)
  if (obstacle) refuseObstacle(obstacle)
  checkSubqueries(node, localized)
  return decomposeLevel(localized)
}

/** What stays in the level must be right on each shard, whatever was taken out of it before. */
function checkSubqueries(node: SelectQueryNode, { analyzer, locality }: Localized): void {
  const block = analyzer.knownBlock(node)
  const stays = (subquery: OperationNode): boolean => locality.subqueryPlace(subquery, node, block) === 'stays'
  if (!locality.subqueries(node).every(stays)) refuseCorrelated('a subquery')
}

function unlocalized(root: OperationNode, context: DecomposeContext): Localized {
  const analyzer = context.analyze(root, new Map())
  return { root, analyzer, locality: new Locality(analyzer), gathers: [] }
}

/** Unordered set operations whose rows meet on one shard. */
function isWholeLocal(node: SelectQueryNode, { locality }: Localized): boolean {
  return !node.orderBy && locality.spreadOf(node) === 'sharded'
}

function runEverywhere({ root, analyzer, gathers }: Localized): MergePlan {
  return {
    gathers,
    partial: compileTemplate(root, analyzer.parameters),
    accesses: analyzer.accesses,
    merge: { kind: 'concat' },
  }
}

export function refuseObstacle(obstacle: {
  readonly code: 'CROSS_SHARD_JOIN' | 'CROSS_SHARD_SUBQUERY' | 'UNSUPPORTED_MERGE'
  readonly reason: string
}): never {
  return refuse(
    obstacle.code,
    `The query cannot run shard by shard: ${obstacle.reason}.`,
    'Join on the shard key, make the other table a reference table, or read the two sides by two queries.',
  )
}

/** Replaces the parts that need all shards by gathered relations, and analyzes the rest anew. */
export function localize(root: OperationNode, context: DecomposeContext): Localized {
  const analyzer = context.analyze(root, new Map())
  const locality = new Locality(analyzer)
  const { rewritten, gathers, gathered } = gatherParts(root, wholeParts(root, analyzer, locality), analyzer, context)
  if (gathers.length === 0) return { root, analyzer, locality, gathers }
  const again = context.analyze(rewritten, gathered)
  return { root: rewritten, analyzer: again, locality: new Locality(again), gathers }
}

interface GatheredParts {
  readonly rewritten: OperationNode
  readonly gathers: readonly GatherStep[]
  readonly gathered: ReadonlyMap<string, readonly string[] | undefined>
}

/** Puts the rows of everything but a write's target before it, so that the write depends on no shard's own rows. */
export function gatherSources(root: OperationNode, context: DecomposeContext): GatheredParts {
  const analyzer = context.analyze(root, new Map())
  return gatherParts(root, sourceParts(root, analyzer, new Locality(analyzer)), analyzer, context)
}

function gatherParts(
  root: OperationNode,
  parts: readonly WholePart[],
  analyzer: Analyzer,
  context: DecomposeContext,
): GatheredParts {
  const gathers: GatherStep[] = []
  const gathered = new Map<string, readonly string[] | undefined>()
  const queries = new Map<OperationNode, OperationNode>()
  const tables = new TableReplacements()
  for (const part of parts) {
    if (part.table ? tables.has(part.table, part.block) : queries.has(part.query)) continue
    const step = context.nextStep()
    const statement = withCtes(part.query, part.environment, root)
    gathers.push({ step, part: part.name, plan: decompose(statement, context) })
    gathered.set(slots.gather(step), part.columns ?? columnsOfKnown(part.query, analyzer))
    if (part.table) tables.add(part.table, part.block, gatheredTable(step, part.table))
    else queries.set(part.query, selectGather(step))
  }
  if (gathers.length === 0) return { rewritten: root, gathers, gathered }
  const withGroups = (level: OperationNode): OperationNode =>
    level === root ? withDependentGroups(root, tables.tables, analyzer) : level
  const replaced = tables.in(root, analyzer, (node) => queries.get(node), withGroups)
  const rewritten = dropUnusedCtes(replaced, root)
  return { rewritten, gathers, gathered }
}

function columnsOfKnown(query: OperationNode, analyzer: Analyzer): readonly string[] | undefined {
  const bare = bareQuery(query)
  const block = analyzer.knownBlock(bare)
  return analyzer.columnsOf(bare, block.environment, block.parent)
}

/** A part that runs alone takes along the CTEs that it uses. */
function withCtes(query: OperationNode, environment: CteEnvironment, root: OperationNode): OperationNode {
  if (environment.ctes.size === 0) return query
  const select = query as SelectQueryNode
  const used = usedCtes(query, environment)
  const expressions = allExpressions(root).filter((expression) => used.has(expression.expression))
  if (expressions.length !== used.size) throw new Error('a CTE of the statement was not found')
  if (expressions.length === 0) return query
  const recursive = select.with?.recursive || [...used.values()].some(isSelfReading)
  const node: WithNode = {
    kind: 'WithNode',
    expressions: [...expressions, ...(select.with?.expressions ?? [])],
    ...(recursive ? { recursive } : {}),
  }
  return { ...select, with: node } as OperationNode
}

/** By their query: two CTEs, or a CTE and a table, may have one name. What a WITH inside names hides those around it. */
function usedCtes(query: OperationNode, environment: CteEnvironment): ReadonlyMap<OperationNode, Cte> {
  const used = new Map<OperationNode, Cte>()
  const visit = (node: OperationNode, visible: CteEnvironment, hidden: ReadonlySet<string>): void => {
    if (node.kind === 'TableNode') {
      const { identifier, schema } = (node as TableNode).table
      const cte = schema || hidden.has(identifier.name) ? undefined : visible.ctes.get(identifier.name)
      if (!cte || cte.recursive || used.has(cte.query)) return
      used.set(cte.query, cte)
      visit(cte.query, cte.environment, nothing)
      return
    }
    const { with: own } = node as SelectQueryNode
    const names = own?.expressions.map(({ name }) => name.table.table.identifier.name) ?? []
    own?.expressions.forEach(({ expression }, index) => {
      const before = own.recursive ? names : names.slice(0, index)
      visit(expression, visible, new Set([...hidden, ...before]))
    })
    const inner = own ? new Set([...hidden, ...names]) : hidden
    for (const child of childrenOf(node)) if (child !== own) visit(child, visible, inner)
  }
  visit(query, environment, nothing)
  return used
}

const nothing: ReadonlySet<string> = new Set()

/** Every CTE of the statement, at any depth; those around a query and those before it come first. */
function allExpressions(node: OperationNode): readonly CommonTableExpressionNode[] {
  const { with: own } = node as SelectQueryNode
  const below = childrenOf(node).filter((child) => child !== own)
  return [
    ...(own?.expressions ?? []).flatMap((expression) => [expression, ...allExpressions(expression.expression)]),
    ...below.flatMap(allExpressions),
  ]
}

/** Nothing in the tree differs between shards any more: any one shard computes it. */
function runOnce(localized: Localized): MergePlan {
  refuseLocks(localized.root as SelectQueryNode)
  const final = compileTemplate(localized.root, localized.analyzer.parameters)
  return {
    gathers: localized.gathers,
    partial: undefined,
    accesses: [],
    merge: { kind: 'combine', combine: { final, reason: 'the gathered parts are on every shard', hidden: 0 } },
  }
}

/** A set operation whose rows meet across shards: each arm is gathered, one shard compares. */
function decomposeArms(localized: Localized, context: DecomposeContext): MergePlan {
  const node = localized.root as SelectQueryNode
  const gathers: GatherStep[] = [...localized.gathers]
  const gathered = new Map(localized.analyzer.gathered)
  const block = localized.analyzer.knownBlock(node)
  const gather = (arm: OperationNode, number: number): OperationNode => {
    if (localized.locality.spreadOf(arm) === 'everywhere') return arm
    const step = context.nextStep()
    const name = `arm ${number + 1} of the set operation`
    gathers.push({
      step,
      part: name,
      plan: decompose(withCtes(arm, block.environment, localized.root), context),
    })
    const columns = columnsOfKnown(arm, localized.analyzer)
    gathered.set(slots.gather(step), columns)
    return withOwnConstants(arm as SelectQueryNode, selectGather(step), columns)
  }
  const firstArm = without(node, 'with', 'setOperations', 'orderBy', 'limit', 'offset', 'fetch')
  const first = gather(armOf(firstArm, localized), 0) as SelectQueryNode
  const operations = (node.setOperations ?? []).map((operation, index) => ({
    ...operation,
    expression: gather(bareQuery(operation.expression), index + 1),
  }))
  const tail: Partial<SelectQueryNode> = {
    ...(node.orderBy ? { orderBy: node.orderBy } : {}),
    ...(node.limit ? { limit: node.limit } : {}),
    ...(node.offset ? { offset: node.offset } : {}),
    ...(node.fetch ? { fetch: node.fetch } : {}),
  }
  const whole = { ...first, ...(node.with ? { with: node.with } : {}), setOperations: operations, ...tail }
  const root = dropUnusedCtes(whole, node)
  return runOnce({ root, analyzer: context.analyze(root, gathered), locality: localized.locality, gathers })
}

/** The first arm is the node itself without its tail; the analyzer has to know the copy. */
function armOf(arm: SelectQueryNode, localized: Localized): OperationNode {
  const block = localized.analyzer.knownBlock(localized.root)
  localized.analyzer.adopt(arm, block)
  return arm
}
