/** Where the process of a transaction is. */
export type Process =
  | 'preparing'
  | 'deciding'
  | 'asking'
  | 'doubting'
  | 'settling'
  | 'aborting'
  | 'success'
  | 'failure'
  | 'dead'

/** A shard's part: as PostgreSQL keeps it. */
export type Part = 'open' | 'prepared' | 'committed' | 'aborted'

/** The command that a session works on: sent and not run, run and not answered, answered with an error. */
export type Wire = 'idle' | 'sent' | 'done' | 'refused'

export interface Transaction {
  process: Process
  /** Shard 0 is the decider. */
  parts: [Part, Part, Part]
  wires: [Wire, Wire, Wire]
  /** The process has lost this connection; the server may not know yet. */
  lost: [boolean, boolean, boolean]
  /** The process is through with this participant in its present phase. */
  through: [boolean, boolean, boolean]
  row: 'none' | 'commit' | 'abort'
  /** The decider's transaction has its number: it came with BEGIN. */
  numbered: boolean
  /** The process knows of it. */
  knowsNumber: boolean
  /**
   * The decider's server crashed before the number of the transaction was on disk: it may give the number again, to a
   * transaction that commits. The numbers of what is prepared are on disk.
   */
  numberReused: boolean
}

/** What a recoverer does now; it may stop at any time, as if killed. */
export interface Recoverer {
  at: 'idle' | 'saw' | 'wrote' | 'finishing commit' | 'finishing abort' | 'forgetting'
  of: number
}

export interface World {
  transactions: Transaction[]
  recoverers: Recoverer[]
  /** Crashes and lost connections that may still happen. */
  faults: number
}

export function newWorld(transactions: number, recoverers: number, faults: number): World {
  return {
    transactions: Array.from({ length: transactions }, () => ({
      process: 'preparing',
      parts: ['open', 'open', 'open'],
      wires: ['idle', 'idle', 'idle'],
      lost: [false, false, false],
      through: [false, false, false],
      row: 'none',
      numbered: false,
      knowsNumber: false,
      numberReused: false,
    })),
    recoverers: Array.from({ length: recoverers }, () => ({ at: 'idle', of: 0 })),
    faults,
  }
}

export function cloneWorld(world: World): World {
  return {
    transactions: world.transactions.map((each) => ({
      ...each,
      parts: [...each.parts],
      wires: [...each.wires],
      lost: [...each.lost],
      through: [...each.through],
    })),
    recoverers: world.recoverers.map((each) => ({ ...each })),
    faults: world.faults,
  }
}

/**
 * One text per state. States that differ only in what nobody will look at again, in the numbers of the participants or of
 * the transactions, or in the order of the recoverers, are one: what can follow from them is the same but for the names.
 */
export function keyOf({ transactions, recoverers, faults }: World): string {
  const texts = transactions.map((transaction, index) => {
    const workers = recoverers.flatMap(({ at, of }) => (at !== 'idle' && of === index ? [recovererLetters[at]] : []))
    return transactionKey(transaction) + workers.sort().join('')
  })
  return `${texts.sort().join('|')}|${faults}`
}

const recovererLetters = {
  saw: 's',
  wrote: 'w',
  'finishing commit': 'c',
  'finishing abort': 'a',
  forgetting: 'f',
} as const

const processLetters = {
  preparing: 'p',
  deciding: 'd',
  asking: 'q',
  doubting: 'u',
  settling: 's',
  aborting: 'a',
  success: 'S',
  failure: 'F',
  dead: 'D',
} as const

function transactionKey(transaction: Transaction): string {
  const { process, parts, row, numberReused, numbered, knowsNumber } = transaction
  const [one, two] = [participantKey(transaction, 1), participantKey(transaction, 2)]
  const others = one < two ? one + two : two + one
  // Once it is known, or its transaction is over, nobody looks at it again.
  const number = knowsNumber ? 'k' : parts[0] !== 'open' ? '-' : numbered ? 'n' : 'u'
  return `${number}${processLetters[process]}${deciderKey(transaction)}${others}${row[0]}${numberReused && !isOver(process) ? 'r' : '-'}`
}

function isOver(process: Process): boolean {
  return process === 'dead' || process === 'success' || process === 'failure'
}

function deciderKey({ process, parts, wires, lost }: Transaction): string {
  const heard = wires[0] === 'sent' || (!isOver(process) && !lost[0]) ? wires[0][0] : '-'
  return `${parts[0][0]}${heard}${isOver(process) ? '-' : lost[0] ? 'l' : 'h'}`
}

/** An answer counts while the process waits for it, a connection while something of its session can still end with it. */
function participantKey({ process, parts, wires, lost, through }: Transaction, shard: 1 | 2): string {
  const preparing = process === 'preparing'
  const heard = wires[shard] === 'sent' || (preparing && !lost[shard]) ? wires[shard][0] : '-'
  const counts = preparing || (!isOver(process) && (parts[shard] === 'open' || wires[shard] === 'sent'))
  const phased = preparing || process === 'settling' || process === 'aborting'
  return `${parts[shard][0]}${heard}${counts ? (lost[shard] ? 'l' : 'h') : '-'}${phased && through[shard] ? 't' : '-'}`
}
