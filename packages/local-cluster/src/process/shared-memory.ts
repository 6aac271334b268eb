import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Gives back the System V segment of a server that was killed. Its number is in the 7th line of postmaster.pid, which
 * a server that ends by itself removes together with the segment.
 */
export function removeSharedMemory(dataDirectory: string): void {
  const file = join(dataDirectory, 'postmaster.pid')
  if (!existsSync(file)) return
  const id = readFileSync(file, 'utf8').split('\n')[6]?.trim().split(/\s+/)[1]
  if (id === undefined) return
  try {
    execFileSync('ipcrm', ['-m', id], { stdio: 'ignore' })
  } catch {
    // Already gone, or a machine without ipcrm: 56 bytes that nobody is attached to.
  }
}
