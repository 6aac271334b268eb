import { Cells } from './cells.ts'
import type { Rules } from './protocol.ts'
import type { Transaction, World } from './state.ts'

export interface WalkOptions {
  readonly transactions: number
  readonly recoverers: number
  readonly faults: number
  readonly rules?: Rules
}

export interface WalkResult {
  readonly states: number
  /** The shortest way to a broken promise, step by step. */
  readonly violation: { readonly what: string; readonly trace: readonly string[] } | undefined
}

/** Visits every state that any interleaving can reach, nearest first. */
export function walk({ transactions, recoverers, faults, rules = {} }: WalkOptions): WalkResult {
  const cells = new Cells(rules, brokenPromise)
  const start = pack(
    Array.from({ length: transactions }, () => cells.start),
    recoverers,
    faults,
  )
  // Where each state was first reached from.
  const cameFrom = new Map<number, number>([[start, start]])
  let frontier = [start]
  while (frontier.length > 0) {
    const following: number[] = []
    for (const from of frontier) {
      for (const cell of unpack(from, transactions).cells) {
        const what = cells.brokenPromise(cell)
        if (what === undefined) continue
        return { states: cameFrom.size, violation: { what, trace: traceTo(from, cameFrom, cells, transactions) } }
      }
      eachStep(from, cells, transactions, (key) => {
        if (cameFrom.has(key)) return
        cameFrom.set(key, from)
        following.push(key)
      })
    }
    frontier = following
  }
  return { states: cameFrom.size, violation: undefined }
}

function eachStep(from: number, cells: Cells, transactions: number, visit: (key: number, name: string) => void): void {
  const state = unpack(from, transactions)
  for (const [index, cell] of state.cells.entries()) {
    for (const { fault, byIdle, idle, crash, to, name } of cells.steps(cell)) {
      if ((fault && state.faults === 0) || (byIdle && state.idle === 0)) continue
      const next = state.cells.map((own, at) =>
        at === index ? to : crash === undefined ? own : cells.crashed(own, crash),
      )
      visit(pack(next, state.idle + idle, state.faults - (fault ? 1 : 0)), name)
    }
  }
}

function traceTo(key: number, cameFrom: ReadonlyMap<number, number>, cells: Cells, transactions: number): string[] {
  const trace: string[] = []
  for (let at = key; cameFrom.get(at) !== at; at = cameFrom.get(at)!) {
    const before = cameFrom.get(at)!
    let name = ''
    eachStep(before, cells, transactions, (to, step) => {
      if (to === at) name = step
    })
    trace.unshift(name)
  }
  return trace
}

const cellLimit = 2 ** 16
const smallLimit = 8

/** One number for a state: equal transactions may change places. */
function pack(cells: readonly number[], idle: number, faults: number): number {
  const [one = 0, two] = cells
  const sorted = two === undefined ? [one] : one < two ? [one, two] : [two, one]
  if (cells.length > 2 || sorted.at(-1)! >= cellLimit)
    throw new Error('more states of one transaction than a number has room for')
  return (sorted.reduce((sum, cell) => sum * cellLimit + cell, 0) * smallLimit + idle) * smallLimit + faults
}

function unpack(key: number, transactions: number): { cells: number[]; idle: number; faults: number } {
  const faults = key % smallLimit
  const idle = Math.floor(key / smallLimit) % smallLimit
  let rest = Math.floor(key / smallLimit / smallLimit)
  const cells = Array.from({ length: transactions }, () => {
    const cell = rest % cellLimit
    rest = Math.floor(rest / cellLimit)
    return cell
  })
  return { cells, idle, faults }
}

function brokenPromise(world: World): string | undefined {
  for (const [index, { parts, process }] of world.transactions.entries()) {
    const committed = parts.includes('committed')
    const aborted = parts.includes('aborted')
    if (committed && aborted) return `money lost: T${index} is ${parts.join(', ')}`
    if (process === 'success' && aborted) return `T${index} was acknowledged, and is ${parts.join(', ')}`
    if (process === 'failure' && committed) return `T${index} was refused, and is ${parts.join(', ')}`
  }
  return unfinished(world)
}

/** Whatever happened: when every process is dead and one recovery runs to its end, nothing is left and the sum is right. */
function unfinished(world: World): string | undefined {
  for (const [index, transaction] of world.transactions.entries()) {
    const after = recoverAlone(transaction)
    if (after.parts.includes('prepared')) return `T${index} stays prepared for ever: ${after.parts.join(', ')}`
    if (after.parts.includes('committed') && after.parts.includes('aborted'))
      return `money lost after recovery: T${index} is ${after.parts.join(', ')}`
    if (transaction.process === 'success' && !after.parts.every((part) => part === 'committed'))
      return `T${index} was acknowledged, and is gone after recovery`
    if (transaction.process === 'failure' && after.parts.includes('committed'))
      return `T${index} was refused, and is there after recovery`
  }
  return undefined
}

function recoverAlone(transaction: Transaction): Transaction {
  const [decider, ...others] = transaction.parts.map((part) => (part === 'open' ? 'aborted' : part))
  const commits = transaction.row === 'commit'
  const settled = others.map((part) => (part === 'prepared' ? (commits ? 'committed' : 'aborted') : part))
  return { ...transaction, parts: [decider!, settled[0]!, settled[1]!] }
}
