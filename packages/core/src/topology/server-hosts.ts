/**
 * One URL per host: `postgres://u:p@a:5432,b:5432/db` names two candidates, of which one is the primary.
 * @example
 * splitHosts('postgres://app@a:5432,b:5433/x') // ['postgres://app@a:5432/x', 'postgres://app@b:5433/x']
 */
export function splitHosts(url: string): readonly string[] {
  const match = /^([a-z]+:\/\/(?:[^@/?#]*@)?)([^/?#@]*)(.*)$/is.exec(url)
  if (match === null) return [url]
  const [, head = '', hosts = '', tail = ''] = match
  return hosts.split(',').map((host) => `${head}${host}${tail}`)
}
