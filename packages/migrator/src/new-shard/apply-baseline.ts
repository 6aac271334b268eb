import type { FleetConnection } from '@shardwright/core'
import type { CatalogObject } from '../drift/catalog-object.ts'
import type { SchemaSnapshot } from '../drift/schema-snapshot.ts'
import { NewShardError } from '../errors/new-shard-error.ts'

/**
 * Makes every object of a snapshot on an empty database, inside the caller's transaction. Objects may need one another
 * in any order (a default calls a function that reads a view): what fails is tried again after the rest.
 */
export async function applyBaseline(connection: FleetConnection, snapshot: SchemaSnapshot): Promise<void> {
  await connection.query('set local check_function_bodies = off')
  let left = snapshot.objects.filter(
    (object) => object.kind !== 'setting' && object.kind !== 'column' && object.create !== '',
  )
  while (left.length > 0) {
    const failed: { object: CatalogObject; error: unknown }[] = []
    for (const object of left) {
      await connection.query('savepoint baseline')
      try {
        await connection.script(object.create)
        await connection.query('release savepoint baseline')
      } catch (error) {
        await connection.query('rollback to savepoint baseline')
        failed.push({ object, error })
      }
    }
    if (failed.length === left.length) throw stuck(failed)
    left = failed.map((entry) => entry.object)
  }
}

function stuck(failed: readonly { object: CatalogObject; error: unknown }[]): NewShardError {
  const names = failed.map(({ object }) => `${object.kind} ${object.name}`)
  const [first] = failed
  return new NewShardError({
    code: 'NEW_SHARD_DIFFERS',
    message: `The new shard cannot be given ${names.join(', ')}: ${first?.error instanceof Error ? first.error.message : first?.error}`,
    hint: 'Roles, tablespaces and extension packages have to be on the new server first; or build it by migrations.',
    details: { objects: names },
    cause: first?.error,
  })
}
