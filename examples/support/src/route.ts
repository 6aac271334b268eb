export interface RouteRequest {
  /** Named groups of the route's path. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown
}

/** One method and path of an API over `App`. */
export interface Route<App> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: RegExp
  readonly status?: number
  readonly handle: (app: App, request: RouteRequest) => Promise<unknown>
}
