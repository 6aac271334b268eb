import type { Schema } from '@shardwright/core'
import type { OperationNode, RootOperationNode } from 'kysely'
import type { Access } from './access.ts'
import { Analyzer } from './analyzer.ts'
import type { Catalog } from './catalog.ts'
import { compileTemplate, indexParameters, type ParameterIndex } from './compile.ts'
import { dropUnreadSingles } from './decompose/unread-ctes.ts'
import { replaceEmptyLists } from './empty-lists.ts'
import { isEmptyWithoutKeys } from './empty-result.ts'
import { flattenArms } from './flat-arms.ts'
import { inspectTree, type TreeTraits } from './inspect-tree.ts'
import { type KeySet, type LookupKeys, lookupsIn } from './key/key-set.ts'
import { withOwnNodes } from './own-nodes.ts'
import { planMultiShard } from './plan-multi-shard.ts'
import type { PreparedPlan } from './prepared-plan.ts'
import { openRawNodes } from './raw/open-nodes.ts'
import { refuse } from './refuse.ts'
import { changesLookups } from './write/changes-lookups.ts'
import { refuseKeyUpdates } from './write/key-update.ts'

const kinds: Readonly<Record<string, PreparedPlan['kind']>> = Object.freeze({
  SelectQueryNode: 'select',
  InsertQueryNode: 'insert',
  UpdateQueryNode: 'update',
  DeleteQueryNode: 'delete',
  MergeQueryNode: 'merge',
})

const nothing: PreparedPlan['gathered'] = new Map()

/**
 * Plans a statement from its tree. Pure: no I/O, no clock, and nothing of a call's parameters enters the plan.
 * `original`: the parameters of the caller's statement, when `statement` was rewritten from it.
 * `gathered`: the columns of rows that stand in the tree as tables.
 * @throws RoutingError for every shape without a rule
 */
export function planStatement(
  statement: RootOperationNode,
  schema: Schema,
  catalog: Catalog,
  original?: ParameterIndex,
  gathered: PreparedPlan['gathered'] = nothing,
): PreparedPlan {
  const kind = kinds[statement.kind]
  if (statement.kind === 'RawNode') return refuseRaw()
  if (!kind) return refuseStatement(statement)
  const asWritten = inspectTree(statement, catalog)
  const known = original !== undefined || !(asWritten.shared || asWritten.nestedRaw)
  const written = known ? statement : withOwnNodes(statement)
  const opened = asWritten.nestedRaw ? openRawNodes(written) : written
  const traits = asWritten.nestedRaw ? inspectTree(opened, catalog) : asWritten
  const root = traits.setOperations ? flattenArms(opened) : opened
  const parameters = original ?? indexParameters(written)
  const plain = traits.emptyLists ? (replaceEmptyLists(root) as RootOperationNode) : root
  const analyzer = new Analyzer(schema, catalog, parameters, gathered)
  // With its empty lists: they prove that no key matches.
  analyzer.analyze(root, traits.queries === 1)
  if (traits.writes) refuseKeyUpdates(root, analyzer)
  const { accesses } = analyzer
  const sent = traits.queries > 1 ? dropUnreadSingles(plain, schema, homeOf(accesses)) : plain
  let multi: ReturnType<PreparedPlan['multi']> | undefined
  let empty: boolean | undefined
  const plan: PreparedPlan = {
    kind,
    root: sent,
    parameters,
    gathered,
    traits,
    accesses,
    access: isRead(traits) ? 'read' : 'write',
    template: sent === root && !original ? undefined : compileTemplate(sent, parameters),
    fanOutAllowed: accesses.every(
      (access) => access.kind !== 'sharded' || access.table.fanOut || isProven(access.keys),
    ),
    lookups: schema.lookups.length === 0 ? noLookups : lookupsOf(accesses),
    changesLookups: traits.writes && schema.lookups.length > 0 && changesLookups(root, analyzer),
    emptyWithoutKeys: () => {
      empty ??= isEmptyWithoutKeys({ kind, root: sent, accesses }, catalog)
      return empty
    },
    multi: () => {
      multi ??= planMultiShard(plan, schema, catalog)
      return multi
    },
  }
  return Object.freeze(plan)
}

/** The shard of all tables that a statement uses, when each is on one shard only. */
function homeOf(accesses: readonly Access[]): string | undefined {
  const shards = new Set(accesses.map((access) => (access.kind === 'single' ? access.shard : undefined)))
  return shards.size === 1 ? [...shards][0] : undefined
}

/** A lookup that is not filled yet proves nothing. */
function isProven(keys: KeySet): boolean {
  return keys.kind !== 'all' && lookupsIn(keys).length === 0
}

const noLookups: readonly LookupKeys[] = Object.freeze([])

function lookupsOf(accesses: readonly Access[]): readonly LookupKeys[] {
  const found = accesses.flatMap((access) => (access.kind === 'sharded' ? lookupsIn(access.keys) : []))
  return [...new Map(found.map((set) => [set.signature, set])).values()]
}

function isRead(traits: TreeTraits): boolean {
  return !traits.writes && !traits.locks && traits.volatile.length === 0
}

function refuseRaw(): never {
  return refuse(
    'RAW_STATEMENT',
    'A whole raw statement cannot be routed: there is no tree to find its shard key in.',
    'Use the query builder, or name the shard: router.onShard(id).',
  )
}

function refuseStatement(root: OperationNode): never {
  return refuse(
    'UNSUPPORTED_STATEMENT',
    `A ${root.kind} is not routed: it would change the schema of one shard only.`,
    'Run it on every shard with the migrator, or through router.fleet.',
    { node: root.kind },
  )
}
