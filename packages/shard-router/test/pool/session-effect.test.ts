import { describe, expect, test } from 'vitest'
import { leftBehind } from '../../src/pool/session-effect.ts'

describe('what a statement leaves in its session', () => {
  test.each([
    'set search_path = a',
    'SET SESSION statement_timeout = 1',
    'set time zone 5',
    'set role app',
    'set session authorization app',
    'set session characteristics as transaction read only',
    "select set_config('a.b', 'c', false)",
    "select set_config('a.b', ',true)', false)",
    "select pg_catalog.set_config('a.b', (select 'x, true'), 1 = 2)",
    "select \"set_config\"('a.b', '1', false)",
    "select set_config /* true */ ('a.b', '1', /* , true */ false)",
    "with c as (select set_config('a.b', '1', true), set_config('a.b', '2', false)) select * from c",
    "select U&\"set\\005fconfig\"('a.b', '1', false)",
    'select pg_advisory_lock(1)',
    'insert into t select 1 where pg_try_advisory_lock_shared(1, 2)',
    'explain analyze select pg_advisory_lock(1)',
    "update pg_settings set setting = 'x' where name = 'a.b'",
    'create temp table t (id int)',
    'create  LOCAL temporary table t (id int) on commit delete rows',
    'create or replace temp view v as select 1',
    'select 1 into temp t',
    'create table pg_temp.t (id int)',
    'create function pg_temp_3.f() returns int language sql as $$ select 1 $$',
    'prepare p as select 1',
    'listen channel',
    'discard plans',
    'reset all',
    'declare c cursor with hold for select 1',
    "do $$ begin perform set_config('a.b', '1', false); end $$",
    'select 1; set a.b = 1',
    "-- set\nset a.b = '1'",
    'select set_limit(0.5)',
    'begin; set local a.b = 1; listen x',
  ])('state: %s', (sql) => expect(leftBehind(sql, [])).toBe('state'))

  test.each([
    'select setseed(0.5)',
    "load 'auto_explain'",
    "select dblink_connect('c', 'dbname=x')",
    "select pg_replication_origin_session_setup('x')",
    'do $$ begin perform setseed(0.1); end $$',
    'set a.b = 1; select SETSEED(0)',
  ])('lasting: %s', (sql) => expect(leftBehind(sql, [])).toBe('lasting'))

  test.each([
    'select 1',
    ' select 1;',
    'set local search_path = a',
    'set transaction isolation level serializable',
    'set constraints all deferred',
    "select set_config('a.b', '1', true)",
    "select set_config('a.b', f(1, 'x, y'), TRUE)",
    'select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)',
    "select 'set_config(1)', \"temp\", temp, temporary from readings where note = 'create temp table; set x'",
    "insert into t values ('it''s; listen x', E'\\'; set x', $tag$ ; load 'x' $tag$)",
    'create table t as select 1',
    'create temp table t (id int) on commit drop',
    'create function f() returns void language sql as $$ set a.b = 1; select pg_advisory_lock(1) $$',
    'declare c cursor for select 1',
    "prepare transaction 'x'",
    "start transaction; set local lock_timeout = 10; set local application_name = 'x'",
    'start transaction isolation level serializable; select 1 where 1 is null',
    'call p()',
    'show all',
    'copy t from stdin',
    '(select 1) union select 2',
    'table t',
    '/* a; /* set x */ b */ select 1',
    'notify x',
    'vacuum t',
    "select setting from pg_settings where name = 'a.b'",
  ])('nothing: %s', (sql) => expect(leftBehind(sql, [])).toBeUndefined())

  test('a parameter of set_config says whether it is for the transaction', () => {
    for (const sql of ['select set_config($1, $2, $3)', 'select set_config($1, $2, $3::boolean)']) {
      expect(leftBehind(sql, ['a.b', '1', true])).toBeUndefined()
      expect(leftBehind(sql, ['a.b', '1', 'on'])).toBeUndefined()
      for (const flag of [false, 'f', null, undefined, 'x']) expect(leftBehind(sql, ['a.b', '1', flag])).toBe('state')
    }
    const twice = 'select set_config($1, $2, $3), set_config($4, $5, $6)'
    expect(leftBehind(twice, ['a', 'b', true, 'c', 'd', true])).toBeUndefined()
    expect(leftBehind(twice, ['a', 'b', true, 'c', 'd', false])).toBe('state')
    expect(leftBehind('select set_config($1, $2, not $3)', ['a', 'b', true])).toBe('state')
  })
})
