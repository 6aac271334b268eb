/** The part of `pg.Client` that Shardwright needs; `pg` itself is met only at the edge. */
export interface PgClient {
  connect(): Promise<unknown>
  query<R = Record<string, unknown>>(text: string, values?: unknown[]): Promise<PgResult<R>>
  query<R = Record<string, unknown>>(config: PgQueryConfig): Promise<PgResult<R>>
  end(): Promise<void>
  on(event: 'error' | 'end' | 'notification' | 'notice', listener: (argument: never) => void): unknown
  removeListener<A>(event: string, listener: (argument: A) => void): unknown
}

export interface PgQueryConfig {
  readonly text: string
  readonly values?: unknown[]
  readonly name?: string
  readonly rowMode?: 'array'
  /** `extended` also without values: the server then takes one statement only. */
  readonly queryMode?: 'extended'
}

export interface PgResult<R> {
  readonly command: string
  readonly rowCount: number | null
  readonly rows: R[]
  readonly fields: readonly PgField[]
}

export interface PgField {
  readonly name: string
  readonly dataTypeID: number
  readonly dataTypeModifier: number
}
