import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type AnyTopology, type Fleet, fleetOf } from '@shardwright/core'
import { citusFromEnvironment, type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { assertComplete } from '@shardwright/migrator'
import type { ConfigCitusTopology, ConfigServer, ConfigTopology } from '../config/config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { assertNoLocalState, envFile, removeLocalState, writeLocalState } from '../config/local-state.ts'
import { resolveTopology } from '../config/resolve-topology.ts'
import { CliError } from '../errors/cli-error.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { toJson } from '../run/run-command.ts'
import { migratorOf } from './migrate.ts'
import { progressOf } from './migrate-progress.ts'

/** A local cluster in the configuration's shape, migrated and seeded, until Ctrl-C. */
export const dev: Command<{ readonly redis?: boolean }> = async (context, options) => {
  const loaded = await context.loadConfig()
  await assertNoLocalState(loaded.folder)
  const { topology } = loaded.config
  if ('coordinator' in topology) return await devCitus(context, loaded, topology)
  const { shards } = topology
  const replicas = Math.max(0, ...shards.map((shard) => shard.replicas?.length ?? 0))
  context.screen.note(`Starting ${shards.length} shards${replicas > 0 ? ` with ${replicas} replicas each` : ''} ...`)
  await using cluster = await startLocalCluster({
    shards: shards.length,
    // Replicas are of servers, so shards with replicas need a server each.
    databasePerShard: replicas === 0,
    replicasPerShard: replicas,
    redis: options.redis === true,
  })
  return await serve(context, loaded, environmentOf(topology, cluster))
}

/** A database of its own in the cluster that CITUS_URL names, else a cluster in containers. */
async function devCitus(context: CommandContext, loaded: LoadedConfig, topology: ConfigCitusTopology) {
  const variables = variablesOf(topology.coordinator)
  if (variables.length === 0) throw fixedUrl('the coordinator', 'coordinator')
  await using cluster = await citusFromEnvironment()
  context.screen.note(`Citus ${cluster.version} ...`)
  const database = await cluster.createDatabase()
  return await serve(context, loaded, Object.fromEntries(variables.map((variable) => [variable, database.url])))
}

async function serve(context: CommandContext, loaded: LoadedConfig, env: Readonly<Record<string, string>>) {
  Object.assign(process.env, env)
  try {
    const topology = resolveTopology(loaded.config)
    const { Client } = (await import('pg')).default
    const fleet = fleetOf(topology, Client)
    await migrateAndSeed(context, loaded, fleet, topology)
    await writeLocalState(loaded.folder, { pid: process.pid, env })
    const ready = {
      ready: true,
      envFile: envFile(loaded.folder),
      shards: fleet.shards.map(({ id, address }) => ({ id, address })),
    }
    context.screen.line(context.global.json ? toJson(ready) : readyScreen(loaded.folder, fleet))
    await untilAborted(context.signal)
  } finally {
    await removeLocalState(loaded.folder)
  }
  return { data: { stopped: true }, render: () => 'Stopped; its data is gone.' }
}

async function migrateAndSeed(
  context: CommandContext,
  loaded: LoadedConfig,
  fleet: Fleet,
  topology: AnyTopology,
): Promise<void> {
  const migrator = migratorOf({ ...loaded, fleet, topology, schema: loaded.config.schema })
  assertComplete(await migrator.up({ lint: 'off', signal: context.signal, onEvent: progressOf(context) }))
  const file = path.resolve(loaded.folder, loaded.config.seed ?? 'seed.ts')
  if (loaded.config.seed === undefined && !existsSync(file)) return
  const module = (await import(pathToFileURL(file).href)) as { seed?: unknown }
  if (typeof module.seed !== 'function') {
    throw new CliError({
      code: 'CONFIG_INVALID',
      message: `${path.basename(file)} exports no function \`seed\`.`,
      hint: 'export async function seed(fleet: Fleet, topology: Topology): Promise<void>',
    })
  }
  await (module.seed as (fleet: Fleet, topology: AnyTopology) => Promise<void>)(fleet, topology)
  context.screen.note('Seeded.')
}

/** The variables that the configuration asks for, with the URLs of the cluster. */
function environmentOf(topology: ConfigTopology, cluster: LocalCluster): Record<string, string> {
  const env: Record<string, string> = {}
  const put = (server: ConfigServer | undefined, url: string | undefined) => {
    for (const variable of variablesOf(server)) if (url !== undefined) env[variable] = url
  }
  for (const [index, shard] of topology.shards.entries()) {
    put(shard.primary, cluster.shards[index]?.url)
    for (const [replica, server] of (shard.replicas ?? []).entries())
      put(server, cluster.shards[index]?.replicas[replica]?.url)
    if (variablesOf(shard.primary).length === 0) throw fixedUrl(shard.id, 'primary')
  }
  if (cluster.redis) env.REDIS_URL = cluster.redis.url
  return env
}

function variablesOf(server: ConfigServer | undefined): readonly string[] {
  if (server === undefined || typeof server === 'string') return []
  if ('env' in server) return [server.env]
  return [server.url, server.directUrl].flatMap((url) => (typeof url === 'object' ? [url.env] : []))
}

function fixedUrl(shard: string, field: string): CliError {
  return new CliError({
    code: 'CONFIG_INVALID',
    message: `The URL of ${shard} stands in the configuration, so a local cluster cannot take its place.`,
    hint: `Write ${field}: env('...') there: the URL (and its password) then comes from the environment.`,
    details: { shard },
  })
}

function readyScreen(folder: string, fleet: Fleet): string {
  const file = path.relative(process.cwd(), envFile(folder))
  return [
    'Ready.',
    ...fleet.shards.map((shard) => `  ${shard.id}  ${shard.address}`),
    '',
    `Your application:  node --env-file=${file} src/main.ts`,
    'Other commands:    shardwright status --local',
    'Ctrl-C ends it.',
  ].join('\n')
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 60_000)
    signal.addEventListener('abort', () => {
      clearInterval(alive)
      resolve()
    })
  })
}
