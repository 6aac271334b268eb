/** Who says whether this process may still route by its topology; the topology store's lease is one. */
export interface TopologyGate {
  /** @throws TopologyError TOPOLOGY_STALE when nothing may be sent to this shard now */
  check(shard: string): void
  /** Work of an epoch begins; call the result when it is over. The lease is not moved on before. */
  enter(epoch: number): () => void
}
