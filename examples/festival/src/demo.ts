import { type Answer, checkQuery } from './check/check-query.ts'
import { compareContents } from './check/compare-contents.ts'
import { readContents } from './check/table-contents.ts'
import { loadOneServer } from './load/load-one-server.ts'
import { loadShards } from './load/load-shards.ts'
import { type Platform, type PlatformOptions, startPlatform } from './platform.ts'
import { platformQueries } from './queries/queries.ts'
import { tableNames } from './schema/database.ts'
import { runCaching } from './sections/run-caching.ts'
import { runPartitions } from './sections/run-partitions.ts'
import { runRefusals } from './sections/run-refusals.ts'
import { showQuery } from './sections/show-query.ts'
import { showShards } from './sections/show-shards.ts'
import { type Output, Progress } from './show/progress.ts'
import { Screen } from './show/screen.ts'

export interface DemoResult {
  readonly queries: number
  /** What ran them: `4 shards`. */
  readonly servers: string
  /** What was not as in one PostgreSQL; empty on success. */
  readonly problems: readonly string[]
}

/** The whole demo: servers, schema, data, queries, partitions, caches, and the check of every table. */
export async function runDemo(options: PlatformOptions, output: Output): Promise<DemoResult> {
  const screen = new Screen(output)
  screen.heading('Starting the servers, and one PostgreSQL to compare with')
  await using platform = await startPlatform(options)
  screen.line(`  ${platform.servers.title}`)
  await preparePlatform(platform, screen)
  return await checkPlatform(platform, screen)
}

/** Creates the schema and loads the data. */
export async function preparePlatform(platform: Platform, screen: Screen): Promise<void> {
  const { tables } = await platform.createSchema()
  for (const { shard, figures } of tables) {
    screen.line(`  ${shard}  transactions: ${figures?.partitions} partitions, ${figures?.ahead} ahead`)
  }
  const total = tableNames.reduce((sum, table) => sum + platform.data.rows[table].length, 0)
  screen.heading('Loading through the router')
  const progress = new Progress(screen.output, '  loading', total)
  const started = performance.now()
  await loadShards(platform.router, platform.data, (rows) => progress.add(rows))
  screen.line(`  loaded in ${seconds(started)}; the same rows into one PostgreSQL, straight through the driver ...`)
  await loadOneServer(platform.onePool, platform.data)
  await analyze(platform)
}

/** Runs everything that is compared. `answer` is how the shards answer a query. */
export async function checkPlatform(platform: Platform, screen: Screen, answer?: Answer): Promise<DemoResult> {
  const queries = platformQueries(platform)
  const problems: string[] = []
  for (const [index, query] of queries.entries()) {
    const checked = await checkQuery(query, platform, answer)
    screen.heading(`${index + 1}. ${query.title}`)
    await showQuery(screen, platform, checked)
    if (checked.difference !== undefined) problems.push(`${query.title}: ${checked.difference}`)
  }
  problems.push(...(await runRefusals(screen, platform)))
  problems.push(...(await runPartitions(screen, platform)))
  problems.push(...(await runCaching(screen, platform)))
  const contents = await readContents(platform.router.fleet)
  const [one] = (await readContents(platform.oneFleet)).values()
  showShards(screen, contents)
  problems.push(...compareContents(contents, one))
  return { queries: queries.length, servers: platform.servers.title, problems }
}

async function analyze(platform: Platform): Promise<void> {
  const shards = [...platform.router.fleet.shards, ...platform.oneFleet.shards]
  await Promise.all(
    shards.map(async (shard) => {
      await using connection = await shard.connect()
      await connection.script('analyze')
    }),
  )
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`
}
