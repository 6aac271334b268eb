import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from './process-identity.ts'
import { killTree, resumeTree, sendSignal } from './process-tree.ts'
import { removeSharedMemory } from './shared-memory.ts'
import type { WatchdogMessage } from './watchdog-message.ts'

// A program of its own. Its standard input is a pipe from the process that owns the servers; when that process is gone,
// however it went, the pipe closes, and whatever is still registered is ended and removed here.

const quitTimeoutMs = 10_000

interface WatchedProcess {
  readonly identity: string
  readonly dataDirectory: string | undefined
}

const processes = new Map<number, WatchedProcess>()
const folders = new Set<string>()

function apply(message: WatchdogMessage): void {
  switch (message.op) {
    case 'add-process':
      processes.set(message.pid, { identity: message.identity, dataDirectory: message.dataDirectory })
      break
    case 'remove-process':
      processes.delete(message.pid)
      break
    case 'add-folder':
      folders.add(message.path)
      break
    case 'remove-folder':
      folders.delete(message.path)
      break
  }
}

async function endProcess(pid: number, { identity, dataDirectory }: WatchedProcess): Promise<void> {
  const alive = () => processIdentity(pid) === identity
  if (alive() && dataDirectory !== undefined) {
    // SIGQUIT is PostgreSQL's immediate shutdown: it still gives its shared memory back.
    resumeTree(pid)
    sendSignal(pid, 'SIGQUIT')
    for (let waitedMs = 0; alive() && waitedMs < quitTimeoutMs; waitedMs += 20) await sleep(20)
  }
  if (alive()) await killTree(pid)
  if (dataDirectory !== undefined) removeSharedMemory(dataDirectory)
}

// A watchdog that a signal to a whole group ends would watch nothing.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

for await (const line of createInterface({ input: process.stdin })) apply(JSON.parse(line) as WatchdogMessage)
await Promise.all([...processes].map(([pid, watched]) => endProcess(pid, watched)))
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
