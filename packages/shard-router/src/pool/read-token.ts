import { type CommitToken, ConfigurationError, ReadContext } from '@shardwright/core'

const version = '1'
const lsnForm = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i
const incarnationForm = /^\d{1,20}:[0-9a-f]{8}$/i
const maxLength = 16_384

/**
 * A read context as a short string for a cookie or a header.
 * @example
 * response.setHeader('x-read-after', encodeReadContext(context))
 */
export function encodeReadContext(context: ReadContext): string {
  const parts = context.tokens.map(({ shard, lsn, incarnation, epoch, unsettled }) =>
    [encoded(shard), lsn, incarnation, epoch, ...(unsettled ? [encoded(unsettled)] : [])].join('~'),
  )
  return [version, ...parts].join('!')
}

/**
 * The read context of such a string. It comes from outside: at worst, a forged one sends reads to the primary.
 * @throws ConfigurationError INVALID_READ_TOKEN
 * @example
 * const context = decodeReadContext(request.headers['x-read-after'])
 */
export function decodeReadContext(text: string): ReadContext {
  // A header that is not there, or is there twice.
  const [found, ...parts] = typeof text === 'string' && text.length <= maxLength ? text.split('!') : []
  if (found !== version) throw invalid()
  return new ReadContext(parts.map(decodeToken))
}

/** Names may have the characters that stand between parts. */
function encoded(name: string): string {
  return encodeURIComponent(name).replaceAll('~', '%7E').replaceAll('!', '%21')
}

function decodeToken(text: string): CommitToken {
  const [shard = '', lsn = '', incarnation = '', epoch = '', prepared, ...more] = text.split('~')
  const formed = lsnForm.test(lsn) && incarnationForm.test(incarnation) && /^\d{1,15}$/.test(epoch) && more.length === 0
  if (!formed) throw invalid()
  try {
    const token = { shard: decodeURIComponent(shard), lsn, incarnation, epoch: Number(epoch) }
    return Object.freeze(prepared === undefined ? token : { ...token, unsettled: decodeURIComponent(prepared) })
  } catch {
    throw invalid()
  }
}

function invalid(): ConfigurationError {
  return new ConfigurationError({
    code: 'INVALID_READ_TOKEN',
    message: 'The read token is not one that encodeReadContext made.',
    hint: 'Drop it and read without a token, or from the primary.',
  })
}
