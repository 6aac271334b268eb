import type { Open } from '../../world/columns.ts'

/** A statement as Kysely code over the tables of the generated worlds. */
export interface Shape {
  readonly name: string
  /** The rows must come in one order. */
  readonly ordered: boolean
  readonly code: string
  /** Outputs of which PostgreSQL leaves something open. */
  readonly open?: Readonly<Record<string, Open>>
}
