import { render } from '../code.ts'
import { type Case, caseTags } from '../generate/case.ts'
import type { WorldEngine } from '../world/world.ts'

const joining = [
  'innerJoin',
  'leftJoin',
  'rightJoin',
  'fullJoin',
  'lateral',
  'comma join',
  'join subquery',
  'cte twice',
  'recursive cte',
  'update from',
  'delete using',
  'merge',
]

const outer = ['leftJoin', 'rightJoin', 'fullJoin', 'lateral', 'join subquery']

/** Codes of what Citus refuses. */
const citusCodes = new Set([
  'CITUS_UNSUPPORTED',
  'CROSS_SHARD_JOIN',
  'CROSS_SHARD_SUBQUERY',
  'UNSUPPORTED_MERGE',
  'VOLATILE_IN_SPLIT',
])

/**
 * True when docs/routing.md says that a query of this form may be refused with this code; else the refusal is a failure.
 * What Citus itself does not run is for Citus to say.
 */
export function isExpectedRefusal(code: string, own: Case, engine: WorldEngine, error: Error): boolean {
  if (engine === 'citus' && error.cause !== undefined) return citusCodes.has(code)
  const tags = caseTags(own)
  const text = render(own.query)
  switch (code) {
    case 'CROSS_SHARD_JOIN':
      return joining.some((tag) => tags.has(tag))
    case 'CROSS_SHARD_SUBQUERY':
      return tags.has('lateral') || text.includes('eb.selectFrom')
    case 'CROSS_SHARD_WRITE':
    case 'SHARD_KEY_MISSING':
      return own.kind === 'write'
    case 'VOLATILE_IN_SPLIT':
      return /insertInto\('e'\)/.test(text)
    case 'SHARD_KEY_UPDATE':
      return tags.has('set') || tags.has('on conflict')
    case 'CITUS_UNSUPPORTED':
      return engine === 'citus' && tags.has('writing cte')
    case 'CONFINED_TO_KEY':
      return own.door === 'for'
    case 'UNSUPPORTED_MERGE':
      if (engine === 'citus' && /WITH TIES/.test(error.message)) return tags.has('fetch with ties')
      if (engine === 'citus' && /outer join may leave it NULL/.test(error.message))
        return outer.some((tag) => tags.has(tag))
      return tags.has('recursive cte') || tags.has('for update')
    case 'MERGE_ROWS_EXCEEDED':
      // The rows of a join of joins may well be more than maxRows.
      return joining.some((tag) => tags.has(tag))
    default:
      return false
  }
}
