import { lastingFunctions, stateFunctions } from './session-functions.ts'
import { outlineOf } from './sql-outline.ts'

/** What is left in a session: DISCARD ALL takes `state` away, what is `lasting` only ends with the session. */
export type LeftBehind = 'state' | 'lasting'

interface Effect {
  readonly leaves: LeftBehind | undefined
  /** Parameters that say whether set_config is for the transaction: it leaves state unless all are true. */
  readonly localFlags: readonly number[]
  readonly asksForSequences?: true
}

/** What a statement leaves in its session for whoever uses it after the transaction; undefined: nothing that its text shows. */
export function leftBehind(sql: string, parameters: readonly unknown[]): LeftBehind | undefined {
  const { leaves, localFlags } = effectOf(sql)
  if (localFlags.length === 0) return leaves
  return leaves ?? (localFlags.every((index) => isTrue(parameters[index])) ? undefined : 'state')
}

/** True for a statement whose answer depends on which sequences its session has moved. */
export function asksForSequences(sql: string): boolean {
  return effectOf(sql).asksForSequences === true
}

// Most statements: looked at no further.
const plainStatement =
  /^\s*(?:select|insert|update|delete|with|values|merge|start transaction|begin|commit|rollback|savepoint|release|prepare transaction|create table|create index)\b/i
const suspicious =
  /set_(?:config|limit)|setseed|advisory_lock|dblink_connect|session_setup|pg_settings|pg_temp|temp(?:orary)?\b|u&"|;/i

const known = new Map<string, Effect>()
const knownLimit = 2_000
const knownLength = 4_000

function effectOf(sql: string): Effect {
  const cached = known.get(sql)
  if (cached !== undefined) return cached
  const left = plainStatement.test(sql) && !suspicious.test(sql) ? nothing : readEffect(sql)
  const effect = /\b(?:last|curr)val\b/i.test(sql) ? Object.freeze({ ...left, asksForSequences: true as const }) : left
  if (sql.length > knownLength) return effect
  if (known.size >= knownLimit) known.clear()
  known.set(sql, effect)
  return effect
}

const nothing: Effect = Object.freeze({ leaves: undefined, localFlags: Object.freeze([]) })
const state: Effect = Object.freeze({ leaves: 'state', localFlags: nothing.localFlags })
const lasting: Effect = Object.freeze({ leaves: 'lasting', localFlags: nothing.localFlags })

function readEffect(sql: string): Effect {
  // A name in escapes can be that of any function, and the text of a DO block does anything.
  if (/\bu&"/i.test(sql)) return state
  const effects = outlineOf(sql).map((statement) =>
    /^do\b/.test(statement) ? effectOfBlock(sql) : effectOfOne(statement),
  )
  return (
    effects.find((effect) => effect === lasting) ??
    effects.find((effect) => effect === state) ??
    merged(effects.flatMap((effect) => effect.localFlags))
  )
}

function merged(localFlags: readonly number[]): Effect {
  return localFlags.length === 0 ? nothing : Object.freeze({ leaves: undefined, localFlags })
}

/** Commands that leave nothing but what they do to tables, whatever they call. */
const harmless =
  /^(?:\(|(?:select|insert|update|delete|merge|with|values|table|explain|create|alter|drop|truncate|comment|analy[sz]e|vacuum|refresh|reindex|cluster|grant|revoke|lock|show|begin|start|commit|end|rollback|abort|savepoint|release|fetch|move|close|notify|unlisten|copy|checkpoint|import|reassign|security|execute|call|prepare\s+transaction|set\s+(?:local|transaction|constraints)|declare)\b)/

const temporary =
  /\b(?:create\s+(?:or\s+replace\s+)?|into\s+)(?:(?:local|global)\s+)?temp(?:orary)?\b|\bpg_temp\w*\s*\./
const setsByView = /\bupdate\s+(?:only\s+)?(?:pg_catalog\s*\.\s*)?pg_settings\b/
const holds = /^declare\b.*\bwith\s+hold\b/s

function effectOfOne(statement: string): Effect {
  const called = calledIn(statement)
  if (/^load\b/.test(statement) || called.some(({ name }) => lastingFunctions.has(name))) return lasting
  if (!harmless.test(statement) || setsByView.test(statement) || holds.test(statement)) return state
  if (temporary.test(statement) && !/\bon\s+commit\s+drop\b/.test(statement)) return state
  const flags: number[] = []
  for (const { name, at } of called) {
    if (!stateFunctions.has(name)) continue
    const flag = name === 'set_config' ? argumentAt(statement, at, 2) : undefined
    const parameter = /^\$(\d+)\s*(?:::\s*bool(?:ean)?)?$/.exec(flag ?? '')?.[1]
    if (parameter !== undefined) flags.push(Number(parameter) - 1)
    else if (flag !== 'true') return state
  }
  return merged(flags)
}

function effectOfBlock(sql: string): Effect {
  return [...lastingFunctions].some((name) => sql.toLowerCase().includes(name)) ? lasting : state
}

function calledIn(statement: string): { name: string; at: number }[] {
  return [...statement.matchAll(/([a-z_]\w*)\s*\(/g)].map((match) => ({
    name: match[1]!,
    at: match.index + match[0].length,
  }))
}

/** The text of an argument of a call whose parenthesis is open before `at`. */
function argumentAt(statement: string, at: number, wanted: number): string {
  let depth = 0
  let argument = 0
  let text = ''
  for (const character of statement.slice(at)) {
    if (depth === 0 && character === ')') break
    if (depth === 0 && character === ',') {
      argument++
      continue
    }
    if (character === '(' || character === '[') depth++
    else if (character === ')' || character === ']') depth--
    if (argument === wanted) text += character
  }
  return text.trim()
}

/** As PostgreSQL reads what the driver sends. */
function isTrue(value: unknown): boolean {
  return /^\s*(?:t|tr|tru|true|on|y|ye|yes|1)\s*$/i.test(String(value))
}
