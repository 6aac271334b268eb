import { createHash } from 'node:crypto'

/** What the name of a prepared transaction says. Names of topologies and shards are as `gidName` gives them. */
export interface Gid {
  readonly topology: string
  readonly txid: string
  readonly decider: string
  /** `system_identifier:timeline` of the decider when the transaction ran. */
  readonly incarnation: string
  readonly participant: string
}

const format = 'sw1'
const longestName = 36
const gidText = /^sw1:([\w.%~-]+):([0-9a-f-]{36}):([\w.%~-]+)@(\d+:[0-9a-f]+):([\w.%~-]+)$/

/** A name as it stands in a gid: safe in SQL, without separators, short; a long one is replaced by its hash. */
export function gidName(name: string): string {
  const safe = Buffer.from(name, 'utf8')
    .toString('latin1')
    .replaceAll(/[^A-Za-z0-9_.-]/g, percent)
  if (safe.length <= longestName) return safe
  return `~${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`
}

/** Under 200 bytes, as PostgreSQL asks: 4 + 37 + 37 + 37 + 32 + 37 at the longest. */
export function formatGid(gid: Gid): string {
  return `${format}:${gid.topology}:${gid.txid}:${gid.decider}@${gid.incarnation}:${gid.participant}`
}

/** Undefined for a prepared transaction that is not one of ours. */
export function parseGid(text: string): Gid | undefined {
  const match = gidText.exec(text)
  if (match === null) return undefined
  const [, topology, txid, decider, incarnation, participant] = match as unknown as [string, ...string[]]
  return { topology: topology!, txid: txid!, decider: decider!, incarnation: incarnation!, participant: participant! }
}

/** The beginning of every gid of a topology, for `starts_with`. */
export function gidPrefix(topologyId: string): string {
  return `${format}:${gidName(topologyId)}:`
}
