import type { Telemetry } from '@shardwright/core'

/** Which nodes are asked directly now: those that were reached and are what the metadata says. By name. */
export class NodeHealth {
  readonly #direct = new Set<string>()
  /** Nodes of whose loss somebody was told. */
  readonly #told = new Set<string>()
  readonly #telemetry: Telemetry

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
  }

  isDirect(node: string): boolean {
    return this.#direct.has(node)
  }

  reached(node: string): void {
    if (this.#direct.has(node)) return
    this.#direct.add(node)
    this.#told.delete(node)
    this.#telemetry.log('info', `Citus node ${node} is asked directly`, { node })
  }

  /** Its statements go by the coordinator until it is reached again. */
  lost(node: string, error: unknown): void {
    const known = this.#direct.delete(node) || !this.#told.has(node)
    this.#told.add(node)
    if (known) this.#tell(node, error)
  }

  #tell(node: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#telemetry.count('shardwright.citus.nodes_lost', 1, { node })
    this.#telemetry.log('warn', `Citus node ${node} is asked by way of the coordinator: ${reason}`, { node })
  }
}
