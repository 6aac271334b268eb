import type { RowReader } from './row-reader.ts'

/** What one Execute gave. */
export interface PortalChunk {
  /** Arrays of text where the statement asks for text, else objects. */
  readonly rows: readonly unknown[]
  readonly reader: RowReader
  readonly command: string
  /** True when the portal is at its end. */
  readonly last: boolean
}

/** A statement whose rows are read some at a time. */
export interface Portal {
  /** Reads at most `count` rows, when the chunk before is there. The first call sends the statement too. */
  read(count: number): Promise<PortalChunk>
  /** Takes back a read that still waits for other statements of the session; false when it is on its way. */
  giveUp(reason: unknown): boolean
  /** Closes it between two chunks, or after a failure; resolves when the session is free. */
  close(): Promise<void>
}
