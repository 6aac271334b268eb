import type { RouterErrorCode } from '../../errors/router-error-codes.ts'
import { routerErrorCodes } from '../../errors/router-error-codes.ts'
import { RoutingError } from '../../errors/routing-error.ts'
import { sqlStateOf } from '../../pool/sql-state.ts'
import { isShardGone } from './stale-metadata.ts'

/** Citus' own words for what it does not do, and our code for it. The first that fits. */
const refusals: readonly (readonly [RegExp, RouterErrorCode])[] = [
  [
    /complex joins are only supported|requires repartitioning|joined on their distribution columns/i,
    'CROSS_SHARD_JOIN',
  ],
  [
    /correlated subquer|subquer\w* with correlated|cannot pushdown .*(sublink|lateral)|references a column from another/i,
    'CROSS_SHARD_SUBQUERY',
  ],
  [/(VOLATILE|STABLE|non-IMMUTABLE|volatile) functions?/, 'VOLATILE_IN_SPLIT'],
  [/modif\w+ the partition value|distribution column of .* cannot be modified/i, 'SHARD_KEY_UPDATE'],
  [
    /nextval\(sequence\) calls in worker nodes|nextval: reached maximum value of sequence/,
    'CITUS_COORDINATOR_REQUIRED',
  ],
  [
    /FOR UPDATE\/SHARE|pseudoconstant quals|distributed query from a query on a shard|MERGE|ON CONFLICT|INSERT|UPDATE|DELETE|RETURNING/,
    'CITUS_UNSUPPORTED',
  ],
  [
    /cannot perform distributed planning|cannot push ?down|could not run distributed query|subquery/i,
    'UNSUPPORTED_MERGE',
  ],
  [/intermediate result size exceeds/, 'MERGE_ROWS_EXCEEDED'],
  // Internal errors of its planner: a recursive CTE below an INSERT, the minimum of an enum in parts, MERGE by a constant.
  [
    /could not find path for CTE|could not find valid entry for shard|relation .* is not distributed|no matching oid for function|required join operation is missing/,
    'CITUS_UNSUPPORTED',
  ],
]

/** Files of PostgreSQL's own source that refuse features too; what they say is the caller's, on any PostgreSQL. */
const postgresFiles =
  /^(parse_|exec|plancache|tablecmds|indexcmds|trigger|portal|pquery|rewrite|view|copy|matview|namespace|utility|xml|json|regexp|fmgr|func|spi|postgres\.|analyze|createas|typecmds|partition|prep|planner|subselect|nodeModifyTable|plpgsql|pl_)/

/**
 * What Citus refuses, as a RoutingError with its message and SQLSTATE; any other error as it is.
 */
export function citusRefusal(error: unknown): unknown {
  const state = sqlStateOf(error)
  if (state === undefined || !(error instanceof Error)) return error
  const { message } = error
  const known = refusals.find(([words]) => words.test(`${message} ${detailOf(error)}`))?.[1]
  // Some refusals of its planner have the SQLSTATE of an internal error.
  // Citus reads the SELECT of an INSERT by itself, where nothing tells the type of a bare parameter.
  const untyped = state === '42P18' && /data type of parameter/.test(message)
  const refused =
    untyped ||
    isMistakeOfCitus(error, state) ||
    (state === '0A000' && !postgresFiles.test(fileOf(error))) ||
    (state === 'XX000' && known !== undefined)
  if (!refused && known !== 'CITUS_COORDINATOR_REQUIRED') return error
  const code = known ?? 'CITUS_UNSUPPORTED'
  return new RoutingError({
    code,
    message: `Citus does not run this: ${message}.`,
    hint: hintOf(code, untyped),
    details: {
      sqlState: state,
      citusHint: (error as { hint?: unknown }).hint,
      citusDetail: detailOf(error) || undefined,
    },
    cause: error,
  })
}

function hintOf(code: RouterErrorCode, untyped: boolean): string {
  if (untyped) return 'Cast the value to the type of its column.'
  if (code === 'MERGE_ROWS_EXCEEDED')
    return 'Filter or aggregate further, add the shard key, or raise citus.max_intermediate_result_size on the coordinator.'
  return routerErrorCodes[code].remedy
}

/**
 * The coordinator has understood the statement, and a worker does not understand what Citus made of it: a table of the
 * coordinator alone, a parameter whose type got lost.
 */
function isMistakeOfCitus(error: Error, state: string): boolean {
  const where = String((error as { where?: unknown }).where ?? '')
  return misunderstood.has(state) && where.startsWith('while executing command on') && !isShardGone(error)
}

// Undefined tables, columns and functions, types that do not fit, types that nothing tells.
const misunderstood = new Set(['42P01', '42703', '42883', '42804', '42P18'])

function fileOf(error: Error): string {
  return String((error as { file?: unknown }).file ?? '')
}

function detailOf(error: Error): string {
  return String((error as { detail?: unknown }).detail ?? '')
}
