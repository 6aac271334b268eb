import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalCluster } from '@shardwright/local-cluster'
import { expect, it } from 'vitest'
import { connect, fleetOfUrls, scalar } from './support/database.ts'
import { doWork, type WorkName } from './support/work.ts'

const setup = `
  set timezone to 'UTC';
  create table events (id bigint not null, at timestamptz not null, note text, primary key (id, at)) partition by range (at);
  create table events_2020_01 partition of events for values from ('2020-01-01') to ('2020-02-01');
  do $$ begin execute format('create table events_now partition of events for values from (%L) to (%L)',
    date_trunc('month', now()), date_trunc('month', now()) + interval '1 month'); end $$;
  insert into events select g, timestamptz '2020-01-01' + g * interval '1 minute', 'n' || g from generate_series(1, 20000) g`

const plain = `
  create table events (id bigint not null, at timestamptz not null, note text, primary key (id, at));
  insert into events select g, now() - g * interval '1 minute', 'n' || g from generate_series(1, 20000) g`

it('the server dies (all its processes at once) in the middle of a step; after its restart the next run ends it', async () => {
  await using cluster = await startLocalCluster({ shards: 1, startTimeoutMs: 120_000 })
  const server = cluster.servers[0]
  if (!server) throw new Error('no server')
  const cases: [WorkName, string][] = [
    ['archive', 'archive-write'],
    ['archive', 'detach'],
    ['archive', 'forget-retirement'],
    ['convert', 'copy-batch'],
    ['convert', 'swap-commit'],
  ]
  let interrupted = 0
  for (const [index, [name, step]] of cases.entries()) {
    const url = await server.createDatabase(`crash_${index}`)
    const directory = await mkdtemp(join(tmpdir(), 'shardwright-crash-'))
    await prepare(url, name === 'convert' ? plain : setup)
    let killed: Promise<void> | undefined
    const first = doWork(name, {
      url,
      directory,
      onProgress: (event) => {
        if (event.step === step) killed ??= server.kill()
      },
    })
    // The kill may come a moment too late for a step; the state after the restart must be right all the same.
    await first.catch(() => interrupted++)
    await killed
    await server.start()
    await doWork(name, { url, directory, onProgress: () => {} })
    await using connection = await connect(fleetOfUrls([url]))
    expect(await scalar(connection, 'select count(*)::int from events')).toBe(name === 'convert' ? 20_000 : 0)
    expect(await scalar(connection, "select count(*)::int from pg_class where relname = 'events_2020_01'")).toBe(0)
    await rm(directory, { recursive: true })
  }
  expect(interrupted).toBeGreaterThan(0)
})

async function prepare(url: string, sql: string): Promise<void> {
  await using connection = await connect(fleetOfUrls([url]))
  await connection.script(sql)
}
