import type { Finance } from '../finance.ts'

export interface RouteRequest {
  /** Named groups of the route's path. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: RegExp
  readonly status?: number
  readonly handle: (finance: Finance, request: RouteRequest) => Promise<unknown>
}
