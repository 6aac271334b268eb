import type { Period } from '../calendar/calendar.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import { partitionName, pieceName } from '../policy/naming.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { createPartitionSql } from '../sql/partition-sql.ts'
import type { CreatePartition, PartitionAction, RepairDefault } from './action.ts'
import { Coverage } from './coverage.ts'
import type { PartitionProblem } from './partition-plan.ts'
import { repairAction, resumedRepairs } from './plan-repair.ts'
import { problem } from './problem.ts'
import { rangeText } from './range-text.ts'
import { maxCreatesPerRun, type Range, type WantedWindow, wantedWindow } from './wanted.ts'

interface Creations {
  readonly actions: readonly PartitionAction[]
  readonly problems: readonly PartitionProblem[]
}

/** Ahead, in gaps, and for what waits in DEFAULT. */
export function planCreation(state: CatalogState, policy: PartitionPolicy, now: bigint): Creations {
  const resumed = resumedRepairs(state, policy)
  const window = wantedWindow({ partitions: state.partitions, policy, now, defaultMin: state.defaultPartition?.min })
  const covered: Range[] = [
    ...state.partitions,
    ...resumed.map(({ period }) => ({ lower: period.from, upper: period.to })),
  ]
  covered.push(...underRetirement(state))
  if (window.notBefore !== undefined) covered.push({ lower: undefined, upper: window.notBefore })
  const coverage = new Coverage(covered)
  const actions: (CreatePartition | RepairDefault)[] = [...resumed]
  const problems: PartitionProblem[] = []
  const names = new Set(state.takenNames)
  for (const period of byUrgency(window)) {
    if (period.to <= window.onlyForRowsBefore && waitingRows(state, period) === 0n) continue
    for (const piece of coverage.uncovered(period)) {
      if (actions.length >= maxCreatesPerRun) {
        problems.push(problem('PARTITION_CREATE_CAP', 'warning', `Only ${maxCreatesPerRun} partitions are created.`))
        return { actions: inOrder(actions), problems }
      }
      const planned = planPiece({ state, policy, period, piece, names, current: window.current })
      if ('kind' in planned) actions.push(planned)
      else problems.push(planned)
    }
  }
  if (window.capped)
    problems.push(
      problem(
        'PARTITION_CREATE_CAP',
        'warning',
        `Only the newest ${window.periods.length} periods were looked at for gaps.`,
      ),
    )
  return { actions: inOrder(actions), problems: [...problems.reverse(), ...outsideProblems(state)] }
}

/** The present first, then what is ahead, then the gaps behind it from the newest on. */
function byUrgency({ periods, current }: WantedWindow): readonly Period[] {
  const behind = periods.filter((period) => period.to <= current.from)
  return [...periods.filter((period) => period.from >= current.from), ...behind.reverse()]
}

/** A partition that a killed run has detached may come back: its range is not free. */
function underRetirement(state: CatalogState): readonly Range[] {
  return state.jobs.flatMap(({ kind, child, detail }) => {
    if (kind !== 'retire' || !child || child.attached) return []
    return [
      {
        lower: detail.lower === null ? undefined : BigInt(detail.lower),
        upper: detail.upper === null ? undefined : BigInt(detail.upper),
      },
    ]
  })
}

interface PieceInput {
  readonly state: CatalogState
  readonly policy: PartitionPolicy
  readonly period: Period
  readonly piece: Period
  readonly names: Set<string>
  readonly current: Period
}

function planPiece(input: PieceInput): CreatePartition | RepairDefault | PartitionProblem {
  const { state, policy, period, piece, names, current } = input
  const whole = piece.from === period.from && piece.to === period.to
  const name = whole ? partitionName(policy, period) : pieceName(policy, period, piece)
  const range = { lower: piece.from, upper: piece.to }
  if (names.has(name)) {
    const message = `${state.parent.schema}.${name} exists and is no partition; ${rangeText(range)} was not created.`
    return problem('PARTITION_NAME_TAKEN', 'error', message)
  }
  names.add(name)
  // Rows are counted per period: for a piece of one it may count too many, and the repair then moves none.
  const waiting = waitingRows(state, period)
  if (waiting > 0n && state.defaultPartition) {
    if (policy.defaultRows === 'repair') return repairAction(state, policy, name, piece, waiting)
    return defaultRowsProblem(state, range, waiting)
  }
  return Object.freeze({
    kind: 'create',
    name,
    period: piece,
    gap: piece.to <= current.from,
    sql: createPartitionSql(state, policy, name, range),
  })
}

function waitingRows(state: CatalogState, period: Period): bigint {
  return state.defaultPartition?.periods.find((rows) => rows.from === period.from)?.rows ?? 0n
}

function defaultRowsProblem(state: CatalogState, range: Range, rows: bigint): PartitionProblem {
  const held = state.defaultPartition
  const extremes = rangeText({ lower: held?.min, upper: held?.max })
  return problem(
    'PARTITION_DEFAULT_ROWS',
    'error',
    `${rows} rows of ${rangeText(range)} wait in DEFAULT partition ${held?.name}, so that range has no partition ` +
      `(DEFAULT holds ${held?.rows} rows, least and greatest key ${extremes}).`,
  )
}

function outsideProblems(state: CatalogState): readonly PartitionProblem[] {
  const held = state.defaultPartition
  if (!held || held.outside === 0n) return []
  const extremes = rangeText({ lower: held.min, upper: held.max })
  const message = `${held.outside} of ${held.rows} rows in DEFAULT partition ${held.name} lie outside the ranges kept; least and greatest key ${extremes}.`
  return [problem('PARTITION_DEFAULT_OUTSIDE', 'warning', message)]
}

function inOrder(actions: readonly (CreatePartition | RepairDefault)[]): readonly PartitionAction[] {
  return [...actions].sort((a, b) => (a.period.from < b.period.from ? -1 : 1))
}
