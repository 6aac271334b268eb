import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `condition` holds, generously: it says that something happens, not how soon. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 40_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`)
    await sleep(25)
  }
}
