/** Who says whether this process may still route by its topology; the topology store's lease is one. */
export interface TopologyGate {
  /**
   * Asked before a statement is sent, and with `sent` when its answer is there: a statement that was under way when the
   * lease ended may have come too late.
   * @throws TopologyError TOPOLOGY_STALE when nothing may be sent to this shard now, or no answer of it believed
   */
  check(shard: string, sent?: boolean): void
  /** Work of an epoch begins; call the result when it is over. The lease is not moved on before. */
  enter(epoch: number): () => void
}
