import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { findProgram } from '../src/index.ts'
import { obtainFromPackages } from '../src/programs/distribution-packages.ts'
import { findOnMachine } from '../src/programs/machine-programs.ts'
import { withLock } from '../src/programs/program-cache.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shardwright-program-cache-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  vi.unstubAllEnvs()
})

describe('the lock of an obtained program', () => {
  it('lets one at a time through, and is given back after a failure', async () => {
    let inside = 0
    const path = join(folder, 'program')
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6, 7, 8].map((number) =>
        withLock(path, async () => {
          expect(++inside).toBe(1)
          await sleep(5)
          inside--
          if (number === 2) throw new Error('failed')
          return number
        }),
      ),
    )
    const rejected = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(rejected.map(({ reason }) => String(reason))).toEqual(['Error: failed'])
    expect(readdirSync(folder)).toEqual([])
  })

  it('is taken over from a process that is gone', async () => {
    const path = join(folder, 'program')
    const { pid } = spawnSync('true')
    mkdirSync(`${path}.lock`)
    writeFileSync(join(`${path}.lock`, 'owner'), `${pid} 12345`)
    expect(await withLock(path, async () => 'done')).toBe('done')
  })
})

describe('a program', () => {
  it('is undefined when nobody has it', async () => {
    expect(await findProgram('no-such-server')).toBeUndefined()
    await expect(obtainFromPackages('no-such-server')).rejects.toThrow(/not known which package/)
  })

  it('is not obtained when that is forbidden', async () => {
    vi.stubEnv('SHARDWRIGHT_OBTAIN', 'never')
    await expect(obtainFromPackages('redis-server')).rejects.toThrow(/forbids/)
  })

  it('is found in PATH', async () => {
    const program = join(folder, 'some-server')
    writeFileSync(program, '', { mode: 0o755 })
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    expect(await findOnMachine('some-server')).toEqual({ path: program, environment: {} })
  })

  it('is the one that a variable names, and nothing else when that is none', async () => {
    const program = join(folder, 'some-server')
    const other = join(folder, 'newer-server')
    for (const path of [program, other]) writeFileSync(path, '', { mode: 0o755 })
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    vi.stubEnv('SHARDWRIGHT_SOME_SERVER', other)
    expect(await findOnMachine('some-server')).toEqual({ path: other, environment: {} })
    vi.stubEnv('SHARDWRIGHT_SOME_SERVER', join(folder, 'gone'))
    await expect(findOnMachine('some-server')).rejects.toThrow(/SHARDWRIGHT_SOME_SERVER names no program/)
  })
})
