import { spawn } from 'node:child_process'
import { findProgram } from '@shardwright/local-cluster'

/** Where a Redis or Valkey is, if there is one here. */
export const program = (await findProgram('redis-server')) ?? (await findProgram('valkey-server'))

/** A server of a test that needs more than one. */
export interface RedisNode {
  readonly port: number
  /** At once, without saying goodbye. */
  stop(): Promise<void>
}

/** `settings` as on the command line, the first may be a configuration file. */
export function startRedisNode(port: number, settings: readonly string[]): RedisNode {
  const args =
    settings[0]?.startsWith('--') === false ? [...settings] : ['--port', `${port}`, '--bind', '127.0.0.1', ...settings]
  const child = spawn(program!.path, args, { stdio: 'ignore', env: { ...process.env, ...program!.environment } })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  process.once('exit', () => child.kill('SIGKILL'))
  return {
    port,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
