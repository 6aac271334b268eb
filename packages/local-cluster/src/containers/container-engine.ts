import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { LocalClusterError } from '../errors/local-cluster-error.ts'

/** testcontainers' exports; the package is an optional peer and is loaded only when it is needed. */
export type Testcontainers = typeof import('testcontainers')

/** The part of a dockerode container that disturbing a server takes. */
export interface ContainerHandle {
  start(): Promise<unknown>
  kill(options: { signal: string }): Promise<unknown>
  wait(): Promise<unknown>
  pause(): Promise<unknown>
  unpause(): Promise<unknown>
  remove(options: { force: boolean; v: boolean }): Promise<unknown>
  logs(options: { stdout: true; stderr: true; tail: number; follow: false }): Promise<Buffer>
}

/** @throws LocalClusterError CONTAINERS_UNAVAILABLE */
export async function loadTestcontainers(): Promise<Testcontainers> {
  try {
    const testcontainers = await import('testcontainers')
    await testcontainers.getContainerRuntimeClient()
    return testcontainers
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LocalClusterError('CONTAINERS_UNAVAILABLE', `containers cannot be started: ${reason}`, { cause })
  }
}

/** Whether containers can be started here. Cheap where there is no engine: testcontainers is slow to load. */
export async function containersAvailable(): Promise<boolean> {
  if (!mayHaveEngine()) return false
  return await loadTestcontainers().then(
    () => true,
    () => false,
  )
}

/** The handle by which a started container is disturbed. */
export async function containerHandle(testcontainers: Testcontainers, id: string): Promise<ContainerHandle> {
  const { container } = await testcontainers.getContainerRuntimeClient()
  return container.getById(id)
}

function mayHaveEngine(): boolean {
  if (process.env.DOCKER_HOST !== undefined || process.platform === 'win32') return true
  const run = process.env.XDG_RUNTIME_DIR ?? '/run'
  const sockets = [
    '/var/run/docker.sock',
    join(run, 'docker.sock'),
    join(run, 'podman', 'podman.sock'),
    join(homedir(), '.docker', 'run', 'docker.sock'),
    join(homedir(), '.colima', 'default', 'docker.sock'),
  ]
  return sockets.some((socket) => existsSync(socket))
}
