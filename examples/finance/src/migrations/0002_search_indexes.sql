-- The table has no rows yet, and an index on a partitioned parent cannot be built CONCURRENTLY.
-- shardwright: allow=index-without-concurrently
create index transactions_search_idx on transactions using gin (to_tsvector('simple', description));
create index transactions_details_idx on transactions using gin (details jsonb_path_ops);
