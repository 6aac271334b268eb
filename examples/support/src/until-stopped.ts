/** Resolves at Ctrl-C, or when the process is asked to end. */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve()))
}
