-- Fails where a table of that name stands in the way.
create table before_clash (id int primary key);
create table clash (id int primary key);
-- shardwright: down
drop table clash; drop table before_clash;
