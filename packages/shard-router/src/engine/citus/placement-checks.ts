import type { AnyShardPool, Statement } from '../../pool/shard-pool.ts'

/**
 * Citus takes a statement's snapshot before it waits for a shard that is being moved or split. Where it then reads the new
 * shard in the same session, that snapshot does not see its rows: an empty answer, an UPDATE of nothing. So what ran on the
 * node that has the shard is looked at again when placements have changed since it was routed; one look serves all that
 * ended before it began.
 */
export class PlacementChecks {
  readonly #servers = new Map<number, { running: Promise<string>; next: Promise<string> | undefined }>()

  /** The newest placement that a server knows, read after this call. */
  latest(server: number, pool: AnyShardPool): Promise<string> {
    const known = this.#servers.get(server)
    if (known === undefined) return this.#start(server, pool)
    known.next ??= known.running.then(ignore, ignore).then(() => this.#start(server, pool))
    return known.next
  }

  #start(server: number, pool: AnyShardPool): Promise<string> {
    const running = pool.execute(server, latestPlacement).then(placementOf)
    const own = { running, next: undefined }
    this.#servers.set(server, own)
    const end = () => {
      if (this.#servers.get(server) === own && own.next === undefined) this.#servers.delete(server)
    }
    running.then(end, end)
    return running
  }
}

/** As the mark of the metadata begins. */
export const latestPlacement: Statement = Object.freeze({
  // Without a function: the lanes take it for the point read that it is.
  sql: 'select placementid::text as placement from pg_catalog.pg_dist_placement where placementid > 0 order by placementid desc limit 1',
  parameters: [],
  access: 'read',
  rows: 'facts',
})

export function placementOf({ rows }: { readonly rows: readonly unknown[] }): string {
  return (rows[0] as { placement: string } | undefined)?.placement ?? '0'
}

function ignore(): void {}
