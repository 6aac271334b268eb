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
  /**
   * The decider's server crashed before the number of the transaction was on disk: it may give the number again, to a
   * transaction that commits. The numbers of what is prepared are on disk.
   */
  numberReused: boolean
}

/** What a recoverer does now; it may stop at any time, as if killed. */
export interface Recoverer {
  at: 'idle' | 'saw' | 'wrote' | 'finishing commit' | 'finishing abort' | 'forgetting' | 'forgetting, one looked at'
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

/** One text per state; what is alike but for the order of equals is one. */
export function keyOf(world: World): string {
  const transactions = world.transactions.map(
    (each) =>
      `${each.process.slice(0, 2)}${each.parts.map(first)}${each.wires.map(first)}${each.lost.map(first)}${each.through.map(first)}${each.row[0]}${first(each.numberReused)}`,
  )
  const recoverers = world.recoverers.map(({ at, of }) => `${at}${at === 'idle' ? '' : of}`).sort()
  return `${transactions.join('|')}|${recoverers.join(',')}|${world.faults}`
}

function first(value: string | boolean): string {
  return String(value)[0] as string
}
