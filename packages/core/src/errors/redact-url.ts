const userInfo = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i
const secretParameter = /([?&;\s](?:password|pass|sslpassword|passfile|sslkey)=)[^&#;\s]*/gi

/**
 * A database URL without user, password and secret parameters, for messages and logs. Never throws, also when the text is
 * not a URL at all: then nothing of it is repeated.
 * @example
 * redactUrl('postgres://app:s3cret@db1:5432/festival') // 'postgres://db1:5432/festival'
 */
export function redactUrl(url: string): string {
  try {
    const parsed = new URL(url)
    return parsed.host === '' ? `${parsed.protocol}//(no host)` : `${parsed.protocol}//${parsed.host}${parsed.pathname}`
  } catch {
    return '(not a URL)'
  }
}

/**
 * The same text with every user, password and secret parameter of a URL in it taken out; for messages of drivers.
 * @example
 * redactText('cannot reach postgres://app:s3cret@db1/x') // 'cannot reach postgres://***@db1/x'
 */
export function redactText(text: string): string {
  return text
    .split(/(\s+)/)
    .map((word) => word.replace(/([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, '$1***@').replace(userInfo, '$1***@'))
    .join('')
    .replace(secretParameter, '$1***')
}
