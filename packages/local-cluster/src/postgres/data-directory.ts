import { spawn } from 'node:child_process'
import { appendFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LocalClusterError } from '../errors/local-cluster-error.ts'
import { makeOwnedFolder, writeOwnedFile } from '../process/owned-file.ts'
import type { ProcessUser } from '../process/unprivileged-user.ts'
import { unwatchProcess, watchProcess } from '../process/watchdog-client.ts'
import type { PostgresBinaries } from './binaries.ts'
import { renderSettings, type ServerSettings } from './server-settings.ts'

export interface DataDirectoryInit {
  readonly path: string
  readonly binaries: PostgresBinaries
  readonly user: ProcessUser
  readonly role: string
  readonly password: string
  /** An ICU locale such as `und` or `en-US` for the template databases; `C` of libc when undefined. */
  readonly icuLocale: string | undefined
  readonly settings: ServerSettings
}

/** Runs initdb; each server gets one of its own, because a copy would share its system identifier. */
export async function createDataDirectory(init: DataDirectoryInit): Promise<void> {
  await makeOwnedFolder(init.path, init.user)
  const passwordFile = `${init.path}.password`
  await writeOwnedFile(passwordFile, `${init.password}\n`, init.user)
  try {
    await run(init.binaries.initdb, initdbArguments(init, passwordFile), init)
  } finally {
    await rm(passwordFile, { force: true })
  }
  await appendFile(join(init.path, 'postgresql.conf'), renderSettings(init.settings))
}

function initdbArguments(init: DataDirectoryInit, passwordFile: string): string[] {
  const locale = init.icuLocale === undefined ? [] : ['--locale-provider=icu', `--icu-locale=${init.icuLocale}`]
  return [
    `--pgdata=${init.path}`,
    `--username=${init.role}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    ...locale,
    '--no-sync',
    '--no-instructions',
    '--set=scram_iterations=1',
  ]
}

function run(program: string, parameters: readonly string[], init: DataDirectoryInit): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      ...init.user,
      cwd: dirname(init.path),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, TZ: 'UTC' },
      detached: true,
    })
    if (child.pid !== undefined) watchProcess(child.pid)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    const fail = (reason: string, cause?: unknown) =>
      reject(new LocalClusterError('SERVER_START_FAILED', `initdb ${reason}`, { cause, details: { log: output } }))
    child.on('error', (error) => fail('could not be run', error))
    child.on('close', (code, signal) => {
      if (child.pid !== undefined) unwatchProcess(child.pid)
      if (code === 0) resolve()
      else fail(`ended with ${signal ?? `status ${code}`}: ${output.trim().split('\n').at(-1)}`)
    })
  })
}
