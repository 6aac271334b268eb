// Ours and Kysely's frames take most of the ten that V8 keeps: whoever called a repository would not be among them.
const depth = 50
const own = /dialect[\\/](?:callers-stack|logical-connection)\.[jt]s/

/** Kept once: an error that several statements share would gain the stack of each of them. */
const extended = new WeakSet<Error>()

/** Errors are born in socket handlers or deep in the planner; the stack of the awaiting caller is what people need. */
export function withCallersStack(error: unknown): unknown {
  if (!(error instanceof Error) || typeof error.stack !== 'string' || extended.has(error)) return error
  extended.add(error)
  const known = new Set(error.stack.split('\n').map(place))
  const lines = framesHere().filter((line) => !known.has(place(line)) && !own.test(line))
  if (lines.length > 0) error.stack += `\n${lines.join('\n')}`
  return error
}

function framesHere(): readonly string[] {
  const limit = Error.stackTraceLimit
  // Whoever wants no stacks gets none.
  if (!(limit > 0)) return []
  Error.stackTraceLimit = Math.max(limit, depth)
  const { stack = '' } = new Error()
  Error.stackTraceLimit = limit
  return stack.split('\n').slice(1)
}

/** Without the column: the same call is elsewhere in its line before and after it was awaited. */
function place(line: string): string {
  return line
    .trim()
    .replace(/^at (?:async )?/, '')
    .replace(/:\d+(\)?)$/, '$1')
}
