import { nextSteps, type Rules } from './protocol.ts'
import { cloneWorld, keyOf, newWorld, type Transaction, type World } from './state.ts'

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
  const start = newWorld(transactions, recoverers, faults)
  const cameFrom = new Map<string, { readonly from: string; readonly step: string } | undefined>([
    [keyOf(start), undefined],
  ])
  let frontier: { readonly key: string; readonly world: World }[] = [{ key: keyOf(start), world: start }]
  const traceTo = (key: string) => {
    const trace: string[] = []
    for (let at = cameFrom.get(key); at !== undefined; at = cameFrom.get(at.from)) trace.unshift(at.step)
    return trace
  }
  while (frontier.length > 0) {
    const following: typeof frontier = []
    for (const { key, world } of frontier) {
      const what = brokenPromise(world)
      if (what !== undefined) return { states: cameFrom.size, violation: { what, trace: traceTo(key) } }
      for (const step of nextSteps(world, rules)) {
        const next = cloneWorld(world)
        step.apply(next)
        const nextKey = keyOf(next)
        if (cameFrom.has(nextKey)) continue
        cameFrom.set(nextKey, { from: key, step: step.name })
        following.push({ key: nextKey, world: next })
      }
    }
    frontier = following
  }
  return { states: cameFrom.size, violation: undefined }
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
