-- shardwright: lock-timeout=2s statement-timeout=1min
create table last (id int primary key);
-- shardwright: down
drop table last;
