import type { Clock } from '@shardwright/core'

/** How long the rest is waited for once one has answered. */
const patienceMs = 2_000

/** Settles each answer; one that is late by far, when others are there, fails with what `late` makes. */
export async function answersInTime<T>(
  answers: readonly Promise<T>[],
  clock: Clock,
  late: (index: number) => Error,
): Promise<PromiseSettledResult<T>[]> {
  const all = Promise.allSettled(answers)
  const over = new AbortController()
  const settled = new Map<number, PromiseSettledResult<T>>()
  for (const [index, answer] of answers.entries()) {
    answer.then(
      (value) => settled.set(index, { status: 'fulfilled', value }),
      (reason) => settled.set(index, { status: 'rejected', reason }),
    )
  }
  const patience = Promise.any(answers).then(
    () => clock.sleep(patienceMs, { signal: over.signal, unref: true }),
    () => all,
  )
  try {
    await Promise.race([all, patience])
  } finally {
    over.abort()
    patience.catch(() => {})
  }
  return answers.map((_, index) => settled.get(index) ?? { status: 'rejected', reason: late(index) })
}
