-- shardwright: transaction=false
create index concurrently items_v on items (v);
-- shardwright: down
drop index concurrently items_v;
