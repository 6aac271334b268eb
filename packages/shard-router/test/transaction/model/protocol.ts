import type { Transaction, World } from './state.ts'

/** The protocol as it is, or with one of its cares taken away: the walk must find what that care is for. */
export interface Rules {
  /** Recovery rolls back what is prepared and has no decision, because it is old, and writes no row. */
  readonly rollbackByAge?: boolean
  /** Recovery removes its abort row while the decider's transaction is open still. */
  readonly forgetAbortsAtOnce?: boolean
  /** Recovery removes a commit row without looking at the participants. */
  readonly forgetCommitsAtOnce?: boolean
  /** A process that lost the answer to its decision asks for the row only, not for the fate of a participant. */
  readonly trustRowAlone?: boolean
  /** It asks for the fate of the decider's transaction, by a number that need not be on disk. */
  readonly askByDecidersNumber?: boolean
  /** COMMIT PREPARED goes out before the decision. */
  readonly settleBeforeDecision?: boolean
  /** The tag of PREPARE is not looked at: one that a server answered with ROLLBACK, or refused, counts as prepared. */
  readonly ignorePrepareTag?: boolean
  /** The decision is taken with the first vote, while another PREPARE is under way. */
  readonly decideOnFirstVote?: boolean
  /** PREPARE travels with a statement before the decider's transaction has its number. */
  readonly prepareBeforeNumber?: boolean
  /** A decision that is refused by the unique key is taken for one that stands. */
  readonly ignoreDecisionTag?: boolean
}

/** A step that may come next: its name, and what it does to the world. */
export interface Step {
  readonly name: string
  /** The server whose crash it is. */
  readonly crash?: 0 | 1 | 2
  readonly apply: (world: World) => void
}

const participants = [1, 2] as const
const all = [0, 1, 2] as const

export function nextSteps(world: World, rules: Rules): Step[] {
  const steps: Step[] = []
  world.transactions.forEach((transaction, index) => {
    const add: Add = (name, apply, crash) =>
      steps.push({
        name: `T${index}: ${name}`,
        apply: (next) => apply(next.transactions[index]!, next),
        ...(crash === undefined ? {} : { crash }),
      })
    processSteps(transaction, rules, add)
    serverSteps(transaction, add)
    if (world.faults > 0) faultSteps(transaction, add)
  })
  for (const index of world.recoverers.keys()) recovererSteps(world, index, rules, steps)
  return steps
}

type Add = (name: string, apply: (transaction: Transaction, world: World) => void, crash?: 0 | 1 | 2) => void

function processSteps(transaction: Transaction, rules: Rules, add: Add): void {
  const { process, parts, wires, lost, through } = transaction
  switch (process) {
    case 'preparing': {
      if (transaction.numbered && !transaction.knowsNumber && !lost[0])
        add("hears of the decider's number", (next) => {
          next.knowsNumber = true
        })
      const mayPrepare = transaction.knowsNumber || rules.prepareBeforeNumber
      for (const shard of participants) {
        if (mayPrepare && wires[shard] === 'idle' && !lost[shard] && !through[shard])
          add(`sends PREPARE to ${shard}`, (next) => {
            next.wires[shard] = 'sent'
          })
        if ((wires[shard] === 'done' || (rules.ignorePrepareTag && wires[shard] === 'refused')) && !lost[shard])
          add(`hears that ${shard} is prepared`, (next) => {
            next.wires[shard] = 'idle'
            next.through[shard] = true
          })
      }
      if (all.some((shard) => lost[shard] || wires[shard] === 'refused'))
        add('gives up', (next) => enter(next, 'aborting'))
      if (rules.settleBeforeDecision && through[1] && through[2] && parts[1] === 'prepared')
        add('commits 1 before the decision', (next) => finish(next, 1, 'committed'))
      const voted = rules.decideOnFirstVote ? through[1] || through[2] : through[1] && through[2]
      if (voted && transaction.numbered && !lost[0])
        add('sends its decision', (next) => {
          next.wires[0] = 'sent'
          next.process = 'deciding'
        })
      return
    }
    case 'deciding': {
      if (lost[0]) {
        add('loses the answer to its decision', (next) => {
          next.process = 'asking'
        })
        return
      }
      if (wires[0] === 'done') add('hears that the decision stands', (next) => enter(next, 'settling'))
      if (wires[0] === 'refused')
        add('hears that the decision is refused', (next) =>
          enter(next, rules.ignoreDecisionTag ? 'settling' : 'aborting'),
        )
      return
    }
    case 'asking': {
      add('writes abort at the decider, unless decided', (next) => {
        if (next.row === 'none') next.row = 'abort'
        if (next.row === 'commit') enter(next, 'settling')
        else if (rules.trustRowAlone) enter(next, 'aborting')
        else next.process = 'doubting'
      })
      return
    }
    case 'doubting': {
      if (rules.askByDecidersNumber) {
        add('asks for the fate of its number at the decider', (next) =>
          enter(next, next.parts[0] === 'committed' || next.numberReused ? 'settling' : 'aborting'),
        )
        return
      }
      for (const shard of participants)
        add(`asks for the fate of ${shard}`, (next) =>
          enter(next, next.parts[shard] === 'committed' ? 'settling' : 'aborting'),
        )
      return
    }
    case 'settling':
    case 'aborting': {
      for (const shard of participants) {
        if (through[shard]) continue
        const outcome = process === 'settling' ? 'committed' : 'aborted'
        add(`has ${shard} ${outcome}`, (next) => {
          if (next.parts[shard] === 'prepared') finish(next, shard, outcome)
          else if (outcome === 'aborted' && !next.lost[shard] && next.wires[shard] !== 'sent') endSession(next, shard)
          next.through[shard] = true
        })
      }
      // Not all participants need be reached: the rest is recovery's.
      add('answers its caller', (next) => {
        if (process === 'aborting' && !next.lost[0]) endSession(next, 0)
        next.process = process === 'settling' ? 'success' : 'failure'
      })
      return
    }
  }
}

/** A server runs what it was sent, also when nobody waits for it any more, and ends sessions that were left. */
function serverSteps(transaction: Transaction, add: Add): void {
  const { process, wires, lost, parts } = transaction
  // BEGIN: its message may be late, whatever the process and the other shards have done meanwhile.
  if (!transaction.numbered && parts[0] === 'open' && !lost[0])
    add('the decider begins, and takes its number', (next) => {
      next.numbered = true
    })
  for (const shard of all) {
    if (wires[shard] === 'sent') add(`shard ${shard} runs its command`, (next) => runCommand(next, shard))
    const left = lost[shard] || process === 'dead' || process === 'failure'
    if (left && (parts[shard] === 'open' || wires[shard] !== 'idle'))
      add(`shard ${shard} ends the session`, (next) => endSession(next, shard))
  }
}

function faultSteps({ process, lost, parts, wires }: Transaction, add: Add): void {
  if (process === 'dead' || process === 'success' || process === 'failure') return
  add('the process is killed', (next, world) => {
    next.process = 'dead'
    world.faults--
  })
  for (const shard of all) {
    // A deferred constraint, a serialization failure: what it is sent next is answered with ROLLBACK.
    if (parts[shard] === 'open' && wires[shard] !== 'done')
      add(`the transaction fails on ${shard}`, (next, world) => {
        next.parts[shard] = 'aborted'
        world.faults--
      })
    if (lost[shard]) continue
    add(`the connection to ${shard} is lost`, (next, world) => {
      next.lost[shard] = true
      world.faults--
    })
    add(
      `the server of ${shard} crashes`,
      (_next, world) => {
        crashServer(world, shard)
        world.faults--
      },
      shard,
    )
  }
}

/** Every session of it ends, of all transactions; what is prepared or committed stays. */
export function crashServer({ transactions }: World, shard: 0 | 1 | 2): void {
  for (const each of transactions) {
    each.lost[shard] = true
    if (shard === 0 && each.parts[0] === 'open') each.numberReused = true
    endSession(each, shard)
  }
}

function recovererSteps(world: World, index: number, rules: Rules, steps: Step[]): void {
  const { at, of } = world.recoverers[index]!
  const add = (name: string, apply: (next: World) => void) => steps.push({ name: `R${index}: ${name}`, apply })
  const go = (next: World, to: World['recoverers'][number]['at'], whose = of) => {
    next.recoverers[index] = { at: to, of: to === 'idle' ? 0 : whose }
  }
  if (at !== 'idle') add('is killed', (next) => go(next, 'idle'))
  const transaction = world.transactions[of]!
  switch (at) {
    case 'idle':
      world.transactions.forEach(({ parts, row, numbered }, whose) => {
        if (participants.some((shard) => parts[shard] === 'prepared'))
          add(`sees T${whose} prepared`, (next) => go(next, 'saw', whose))
        if (row === 'commit') add(`reads the commit row of T${whose}`, (next) => go(next, 'forgetting', whose))
        // A transaction without a number is not seen to be open.
        if (row === 'abort' && (rules.forgetAbortsAtOnce || parts[0] !== 'open' || !numbered))
          add(`forgets the abort row of T${whose}`, (next) => {
            next.transactions[whose]!.row = 'none'
          })
      })
      return
    case 'saw':
      if (rules.rollbackByAge && transaction.row === 'none')
        return void add(`T${of} is old`, (next) => go(next, 'finishing abort'))
      return void add(`writes abort for T${of}, unless decided`, (next) => {
        const its = next.transactions[of]!
        if (its.row === 'none') its.row = 'abort'
        go(next, 'wrote')
      })
    case 'wrote':
      return void add(`reads the row of T${of}`, (next) => {
        const { row } = next.transactions[of]!
        go(next, row === 'none' ? 'saw' : row === 'commit' ? 'finishing commit' : 'finishing abort')
      })
    case 'finishing commit':
    case 'finishing abort':
      for (const shard of participants) {
        if (transaction.parts[shard] !== 'prepared') continue
        const outcome = at === 'finishing commit' ? 'committed' : 'aborted'
        add(`has ${shard} of T${of} ${outcome}`, (next) => finish(next.transactions[of]!, shard, outcome))
      }
      return
    case 'forgetting':
      // The participants are looked at one after the other; what was settled at the first look is settled at the last.
      if (rules.forgetCommitsAtOnce || participants.every((shard) => transaction.parts[shard] !== 'prepared'))
        add(`finds nothing of T${of} prepared, and forgets its commit row`, (next) => {
          const its = next.transactions[of]!
          if (its.row === 'commit') its.row = 'none'
          go(next, 'idle')
        })
      return
  }
}

function runCommand(transaction: Transaction, shard: 0 | 1 | 2): void {
  if (shard !== 0) {
    const able = transaction.parts[shard] === 'open'
    if (able) transaction.parts[shard] = 'prepared'
    transaction.wires[shard] = able ? 'done' : 'refused'
    return
  }
  // INSERT and COMMIT. The unique key refuses the second row; a lost session refuses everything.
  const able = transaction.parts[0] === 'open' && transaction.row === 'none'
  if (able) transaction.row = 'commit'
  transaction.parts[0] = able ? 'committed' : 'aborted'
  transaction.wires[0] = able ? 'done' : 'refused'
}

function endSession(transaction: Transaction, shard: 0 | 1 | 2): void {
  if (transaction.parts[shard] === 'open') transaction.parts[shard] = 'aborted'
  transaction.wires[shard] = 'idle'
}

function finish(transaction: Transaction, shard: 1 | 2, outcome: 'committed' | 'aborted'): void {
  transaction.parts[shard] = outcome
}

function enter(transaction: Transaction, process: 'settling' | 'aborting'): void {
  transaction.process = process
  transaction.through = [false, false, false]
}
