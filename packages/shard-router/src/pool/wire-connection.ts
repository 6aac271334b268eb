/** The part of pg's `Connection` that a query writes to. */
export interface WireConnection {
  readonly stream: { cork?(): void; uncork?(): void; write(chunk: Uint8Array): boolean; readonly writable: boolean }
  parse(message: { text: string; name?: string }): void
  bind(message: {
    portal?: string
    statement?: string
    values: readonly unknown[]
    valueMapper: (value: unknown) => unknown
  }): void
  describe(message: { type: 'P' | 'S'; name: string }): void
  close(message: { type: 'P' | 'S'; name: string }): void
  execute(message: { portal?: string; rows?: number }): void
  query(text: string): void
  flush(): void
  sync(): void
  sendCopyFail(message: string): void
}

// Execute of the unnamed portal without a row limit, then Sync: the same bytes for every statement, so one write.
const executeAndSync = Uint8Array.of(0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4)

/** Runs the unnamed portal to its end and closes the statement's implicit transaction. */
export function sendExecuteAndSync(connection: WireConnection): void {
  if (connection.stream.writable) connection.stream.write(executeAndSync)
}

/**
 * Runs commands without Sync: what follows belongs to the same batch, and is skipped when one of these fails. Returns how
 * many there are.
 */
export function sendPrefix(connection: WireConnection, text: string): number {
  const commands = text.split(';')
  for (const statement of commands) {
    connection.parse({ text: statement, name: '' })
    connection.bind({ statement: '', values: [], valueMapper: (value) => value })
    connection.execute({})
  }
  return commands.length
}
