import { MergeError } from '../errors/merge-error.ts'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'

export interface TypeName {
  /** Schema-qualified and quoted: a name with a modifier's default (`character`) would mean another type. */
  readonly sql: string
  readonly collatable: boolean
}

const firstUserOid = 16_384

/** Names of types by their oid; user-defined types have another oid on each shard. */
export class TypeNames {
  readonly #pool: AnyShardPool
  readonly #known = new Map<string, TypeName>()

  constructor(pool: AnyShardPool) {
    this.#pool = pool
  }

  /**
   * `within`: the transaction to ask in; another session may not be free before it ends.
   * @throws MergeError MERGE_TYPE_UNSUPPORTED for anonymous records and pseudo-types
   */
  async of(shard: number, oids: readonly number[], within?: RouterTransaction): Promise<readonly TypeName[]> {
    const missing = [...new Set(oids)].filter((oid) => !this.#known.has(keyOf(shard, oid)))
    if (missing.length > 0) await this.#read(shard, missing, within ?? this.#pool)
    return oids.map((oid) => this.#known.get(keyOf(shard, oid)) ?? refuseType(String(oid)))
  }

  async #read(shard: number, oids: readonly number[], where: Pick<AnyShardPool, 'execute'>): Promise<void> {
    const { rows } = await where.execute(shard, {
      sql: `select t.oid::int8::text as oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) as sql,
        t.typcollation <> 0 as collatable, t.typtype = 'p' and t.oid <> 705 as pseudo
        from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.oid = any($1::oid[])`,
      parameters: [oids],
      access: 'read',
      rows: 'facts',
    })
    for (const row of rows as { oid: string; sql: string; collatable: boolean; pseudo: boolean }[]) {
      if (row.pseudo) refuseType(row.sql)
      this.#known.set(keyOf(shard, Number(row.oid)), { sql: row.sql, collatable: row.collatable })
    }
  }
}

function keyOf(shard: number, oid: number): string {
  return oid < firstUserOid ? `${oid}` : `${shard}:${oid}`
}

function refuseType(name: string): never {
  throw new MergeError({
    code: 'MERGE_TYPE_UNSUPPORTED',
    message: `A column of type ${name} cannot travel from shard to shard.`,
    hint: 'Select the fields of the record, or cast it to a named type.',
    details: { type: name },
  })
}
