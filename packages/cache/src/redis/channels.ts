/** Names of the channels and of the generation key of one namespace; one slot, so that a cluster keeps their order. */
export interface Channels {
  /** Invalidations, to every process. */
  readonly events: string
  /** Acknowledgements and heartbeats, to one process. */
  node(nodeId: string): string
  /** The key whose value changes with every `clear`. */
  readonly generationKey: string
}

export function channelsOf(namespace: string): Channels {
  const base = `{shardwright:${namespace}}`
  return Object.freeze({
    events: `${base}:events`,
    node: (nodeId: string) => `${base}:node:${nodeId}`,
    generationKey: `${base}:generation`,
  })
}

/** What goes over the events channel. */
export interface EventMessage {
  readonly id: string
  readonly from: string
  readonly keys: readonly string[]
  /** True for `clear`. */
  readonly all?: boolean
}

export function encodeEvent(message: EventMessage): string {
  return JSON.stringify(message)
}

/** `undefined` for what is not ours. */
export function decodeEvent(text: string): EventMessage | undefined {
  try {
    const message = JSON.parse(text) as Partial<EventMessage>
    return typeof message.id === 'string' && typeof message.from === 'string' && Array.isArray(message.keys)
      ? (message as EventMessage)
      : undefined
  } catch {
    return undefined
  }
}
