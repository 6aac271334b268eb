import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * When the process `pid` began, as text: with it a number that the system has given to another process meanwhile is not
 * mistaken for ours. `undefined` when there is no such process, or when it has ended and only waits to be reaped.
 */
export function processIdentity(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStat(pid)?.startTime : psIdentity(pid)
}

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  readonly startTime: string
}

/** The process as /proc shows it; `undefined` for none and for a zombie. */
export function linuxStat(pid: number): ProcessStat | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined // gone
  }
  // The command in parentheses may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent] = fields
  if (state === 'Z' || state === 'X') return undefined
  return { pid, parent: Number(parent), startTime: fields[19] ?? '' }
}

function psIdentity(pid: number): string | undefined {
  try {
    const [state = '', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
    return state.startsWith('Z') || start.length === 0 ? undefined : start.join(' ')
  } catch {
    return undefined // ps ends with status 1 when there is no such process
  }
}
