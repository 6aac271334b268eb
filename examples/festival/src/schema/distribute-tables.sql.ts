/** On Citus: the placements of `schema`, with families as co-location groups. */
export const distributeTables: readonly string[] = Object.freeze([
  "select create_reference_table('festivals')",
  "select create_reference_table('users')",
  "select create_distributed_table('stands', 'festival_id', colocate_with => 'none', shard_count => 8)",
  "select create_distributed_table('wallets', 'festival_id', colocate_with => 'stands')",
  "select create_distributed_table('transactions', 'festival_id', colocate_with => 'stands')",
  "select create_distributed_table('orders', 'festival_id', colocate_with => 'stands')",
  "select create_distributed_table('tickets', 'user_id', colocate_with => 'none', shard_count => 8)",
  "select create_distributed_table('sessions', 'user_id', colocate_with => 'tickets')",
])
