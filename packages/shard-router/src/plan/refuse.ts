import type { RouterErrorCode } from '../errors/router-error-codes.ts'
import { RoutingError } from '../errors/routing-error.ts'

/** Refuses the query being planned: what was found, and what to write instead. */
export function refuse(
  code: RouterErrorCode,
  message: string,
  hint: string,
  details?: Readonly<Record<string, unknown>>,
): never {
  throw new RoutingError({ code, message, hint, details })
}
