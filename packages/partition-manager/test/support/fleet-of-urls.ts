import { createFleet, type Fleet } from '@shardwright/core'
import pg from 'pg'

export function fleetOfUrls(urls: readonly string[]): Fleet {
  return createFleet({ shards: urls.map((url, at) => ({ id: `s${at + 1}`, url })), Client: pg.Client })
}
