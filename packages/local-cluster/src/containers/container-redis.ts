import type { ServerState, StopOptions } from '../cluster/local-cluster.ts'
import { freePort } from '../net/free-port.ts'
import { flushRedis } from '../redis/flush-redis.ts'
import type { OwnedRedis } from '../redis/local-redis.ts'
import { redisCommand } from '../redis/redis-command.ts'
import { ContainerControl } from './container-control.ts'
import { type ContainerHandle, containerHandle, loadTestcontainers } from './container-engine.ts'

const image = 'redis:8'

/** @throws LocalClusterError CONTAINERS_UNAVAILABLE, SERVER_START_FAILED */
export async function startContainerRedis(startTimeoutMs: number): Promise<OwnedRedis> {
  const testcontainers = await loadTestcontainers()
  const port = await freePort()
  const started = await new testcontainers.GenericContainer(image)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'yes', '--appendfsync', 'no'])
    .withExposedPorts({ container: 6379, host: port })
    .withStartupTimeout(startTimeoutMs)
    .start()
  const container = await containerHandle(testcontainers, started.getId())
  return new ContainerRedis(container, started.getHost(), port, startTimeoutMs)
}

class ContainerRedis implements OwnedRedis {
  readonly host: string
  readonly port: number
  readonly url: string
  readonly program = 'container'
  readonly #control: ContainerControl

  constructor(container: ContainerHandle, host: string, port: number, startTimeoutMs: number) {
    this.host = host
    this.port = port
    this.url = `redis://${host}:${port}`
    this.#control = new ContainerControl({
      name: 'Redis',
      container,
      isReady: async () => (await redisCommand(host, port, 'PING').catch(() => '')) === '+PONG',
      startTimeoutMs,
      stopSignal: { fast: 'SIGTERM', immediate: 'SIGKILL' },
    })
  }

  get state(): ServerState {
    return this.#control.state
  }

  flush(): Promise<void> {
    return flushRedis(this.host, this.port)
  }

  start(): Promise<void> {
    return this.#control.start()
  }

  stop(options?: StopOptions): Promise<void> {
    return this.#control.stop(options)
  }

  kill(): Promise<void> {
    return this.#control.kill()
  }

  pause(): Promise<void> {
    return this.#control.pause()
  }

  resume(): Promise<void> {
    return this.#control.resume()
  }

  restart(options?: StopOptions): Promise<void> {
    return this.#control.restart(options)
  }

  destroy(): Promise<void> {
    return this.#control.destroy()
  }
}
