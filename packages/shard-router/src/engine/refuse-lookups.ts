import { refuse } from '../plan/refuse.ts'

/** @throws RoutingError LOOKUP_UNSUITABLE */
export function refuseLookupsOnCitus(): never {
  return refuse(
    'LOOKUP_UNSUITABLE',
    'The schema has lookups, and distributed tables of Citus have no triggers that could note what they need.',
    'Leave the lookups out of the schema for Citus: its coordinator asks all nodes for a value by itself.',
  )
}
