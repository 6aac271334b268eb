import { createFleet } from '@shardwright/core'
import pg from 'pg'

export const fleet = createFleet({ shards: [{ id: 'a', url: 'postgres://u:secret@127.0.0.1:1/x' }], Client: pg.Client })
