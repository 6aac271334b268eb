/** Errors are born in socket handlers; the stack of the awaiting caller is what people need. */
export function withCallersStack(error: unknown): unknown {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return error
  const here = new Error().stack
  const lines =
    here
      ?.split('\n')
      .slice(1)
      .filter((line) => !/callers-stack|logical-connection/.test(line)) ?? []
  if (lines.length > 0 && !error.stack.includes(lines[0] as string)) error.stack += `\n${lines.join('\n')}`
  return error
}
