import type { CompiledQuery } from 'kysely'
import { leftBehind } from '../pool/session-effect.ts'
import { lastingFunctions, lookingBack, stateFunctions } from '../pool/session-functions.ts'
import { outlineOf } from '../pool/sql-outline.ts'
import type { PreparedPlan } from './prepared-plan.ts'
import { refuse } from './refuse.ts'

const hint =
  'Use what ends with a transaction, in one: SET LOCAL, set_config(..., true), pg_advisory_xact_lock; or keep a session: router.onShard(id).connection().execute(...).'

/** True for a function that leaves something in its session, or asks for what was left there. */
export function usesSession(name: string): boolean {
  return stateFunctions.has(name) || lastingFunctions.has(name) || lookingBack.has(name)
}

/** For a statement outside a transaction: its session goes to somebody else at once. @throws RoutingError SESSION_STATE */
export function refuseSessionUse({ traits }: PreparedPlan, { sql, parameters }: CompiledQuery): void {
  const useless = traits.session.filter((name) => !isOwnAnswer(name, traits))
  const [first] = useless
  if (first === undefined) return
  const settings = useless.every((name) => name === 'set_config')
  if (settings && leftBehind(sql, parameters) === undefined) return
  refuse('SESSION_STATE', `${first} is for a session, and a routed statement has none of its own.`, hint, {
    function: first,
  })
}

/** `insert ... returning currval('ids')`: the statement itself has moved the sequence. */
function isOwnAnswer(name: string, { writes, volatile }: PreparedPlan['traits']): boolean {
  return (name === 'currval' || name === 'lastval') && (writes || volatile.includes('nextval'))
}

// These leave nothing, or nobody knows what; a script may use itself what it leaves.
const noneOrUnknown = /^(?:do|discard|reset|deallocate)\b/

/** The same for a statement of `router.onShard(id)`, outside a connection that is kept. @throws RoutingError SESSION_STATE */
export function refuseUnkeptState({ sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>): void {
  if (leftBehind(sql, parameters) === undefined) return
  const [first = '', ...others] = outlineOf(sql)
  if (others.length > 0 || noneOrUnknown.test(first)) return
  // No more than that: what stands behind may be a secret.
  const [shown = first] = /^[a-z]+(?:\s+[\w.]+)?/.exec(first) ?? []
  refuse('SESSION_STATE', `\`${shown} ...\` is for a session, which nobody keeps: it ends with the statement.`, hint)
}
