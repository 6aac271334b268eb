/** Calls per second of `call` by so many callers, each waiting for its own answer. */
export async function throughput(
  concurrency: number,
  durationMs: number,
  call: (turn: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now()
  const until = start + durationMs
  let turn = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < until) await call(turn++)
    }),
  )
  return (turn / (performance.now() - start)) * 1_000
}
