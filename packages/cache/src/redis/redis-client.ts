type Argument = string | number | Buffer

/** What the tier needs of an ioredis 6 client (`Redis`, with or without Sentinel, or `Cluster`). */
export interface RedisClient {
  readonly status: string
  /** Set on a `Cluster`. */
  readonly isCluster?: boolean
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>
  duplicate(override?: object, clusterOptions?: object): RedisSubscriber
  nodes?(role: 'master'): readonly RedisNode[]
  on(event: string, listener: (...args: unknown[]) => void): unknown
  off(event: string, listener: (...args: unknown[]) => void): unknown
}

/** One server of a cluster. */
export interface RedisNode {
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>
}

/** A connection that only listens. */
export interface RedisSubscriber {
  readonly status: string
  subscribe(...channels: string[]): Promise<unknown>
  ssubscribe(...channels: string[]): Promise<unknown>
  on(event: string, listener: (...args: unknown[]) => void): unknown
  off(event: string, listener: (...args: unknown[]) => void): unknown
  disconnect(reconnect?: boolean): void
}

/** Replies come as buffers; a text reply of the server as a string. */
export function textOf(reply: unknown): string {
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : String(reply)
}

/** Resolves when the connection can be used. */
export function isReady(subscriber: RedisSubscriber): Promise<void> {
  // A lazy one connects with its first command.
  if (subscriber.status === 'ready' || subscriber.status === 'wait') return Promise.resolve()
  return new Promise((resolve) => {
    const onReady = (): void => {
      subscriber.off('ready', onReady)
      resolve()
    }
    subscriber.on('ready', onReady)
  })
}
