/**
 * A class whose instances may be cached: its own properties are the value. Without it, a value that holds an instance
 * of a class is handed to the caller but never stored, because it would come back as something else.
 * @example
 * import PostgresInterval from 'postgres-interval'        // what pg returns for `interval`
 * createCache({ valueTypes: [{ name: 'interval', class: PostgresInterval }], ... })
 */
export interface ValueType {
  /** Stable, at most 32 characters; it is stored with each value. */
  readonly name: string
  readonly class: { readonly prototype: object }
}
