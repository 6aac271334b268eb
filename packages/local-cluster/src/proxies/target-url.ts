import { LocalClusterError } from '../errors/local-cluster-error.ts'

/** A target's URL; the reason of `new URL` would carry its password. */
export function targetUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && ['postgres:', 'postgresql:'].includes(url.protocol)) return url
  throw new LocalClusterError('LOCAL_CLUSTER_OPTIONS', 'a target of a proxy has no postgres:// URL')
}
