import { readFileSync } from 'node:fs'
import { LocalClusterError } from '../errors/local-cluster-error.ts'

/** Who runs the servers, in the form that `spawn` takes; empty for whoever runs this process. */
export interface ProcessUser {
  readonly uid?: number
  readonly gid?: number
}

/** An account to switch to. */
export interface ProcessAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root: then as `unprivilegedAccount`, else as whoever runs this process. */
export function unprivilegedUser(): ProcessUser {
  const account = unprivilegedAccount()
  return account === undefined ? {} : { uid: account.uid, gid: account.gid }
}

/** For root, the account `postgres`, else `nobody`; `undefined` for everybody else. No user is created. */
export function unprivilegedAccount(): ProcessAccount | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((fields) => fields[0] === name) ?? []
    if (uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new LocalClusterError(
    'UNPRIVILEGED_USER_MISSING',
    'PostgreSQL does not run as root and no other user was found',
  )
}
