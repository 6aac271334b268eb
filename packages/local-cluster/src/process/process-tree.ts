import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { linuxStat, processIdentity } from './process-identity.ts'

/** `pid` and all its descendants, parents first. PostgreSQL's backends lead groups of their own, so a group is not enough. */
export function processTree(pid: number): number[] {
  const childrenOf = Map.groupBy(allProcesses(), (entry) => entry.parent)
  const tree = [pid]
  for (const member of tree) tree.push(...(childrenOf.get(member) ?? []).map((child) => child.pid))
  return tree
}

/** Stops every process of the tree; the root first, so that it starts no more children. */
export function pauseTree(pid: number): void {
  const stopped = new Set<number>()
  for (;;) {
    const fresh = processTree(pid).filter((member) => !stopped.has(member))
    if (fresh.length === 0) return
    for (const member of fresh) {
      sendSignal(member, 'SIGSTOP')
      stopped.add(member)
    }
  }
}

/** Lets a tree that `pauseTree` stopped go on; the root last. */
export function resumeTree(pid: number): void {
  for (const member of processTree(pid).reverse()) sendSignal(member, 'SIGCONT')
}

/** Ends every process of the tree at one instant, as a power failure does; resolves when all are gone. */
export async function killTree(pid: number): Promise<void> {
  pauseTree(pid)
  const members = processTree(pid).map((member) => ({ pid: member, identity: processIdentity(member) }))
  for (const member of members) sendSignal(member.pid, 'SIGKILL')
  for (const member of members) {
    while (member.identity !== undefined && processIdentity(member.pid) === member.identity) await sleep(5)
  }
}

/** False when there is no such process any more. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

interface ProcessEntry {
  readonly pid: number
  readonly parent: number
}

function allProcesses(): ProcessEntry[] {
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => linuxStat(Number(name)) ?? [])
  }
  return execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent] = line.trim().split(/\s+/).map(Number)
      return { pid: pid ?? 0, parent: parent ?? 0 }
    })
}
