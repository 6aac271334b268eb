/** What the shell learns; documented in docs/operations.md. */
export const exitCode = Object.freeze({
  ok: 0,
  /** The command failed; a code and a hint were printed. */
  error: 1,
  /** The command line was not understood. */
  usage: 2,
  /** The command worked and found something: drift, lint findings, an incomplete run, a sick shard. */
  found: 3,
  /** Destructive, and not confirmed. */
  notConfirmed: 4,
  /** Ctrl-C; what was under way has ended, the next run goes on. */
  interrupted: 130,
})
