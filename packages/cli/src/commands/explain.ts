import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { createShardRouter, type Explainable } from '@shardwright/shard-router'
import { CompiledQuery, sql } from 'kysely'
import { CliError } from '../errors/cli-error.ts'
import { wrap } from '../output/wrap.ts'
import type { Command } from '../run/command.ts'

export interface ExplainOptions {
  /** A file, a Kysely expression over `db`, or SQL. */
  readonly query: string
  readonly sql?: boolean
  readonly fanOut?: boolean
  /** `family=key`: as a query of `router.for`. */
  readonly for?: string
}

type QueryOf = (db: unknown) => unknown

/** What the router would do with a query: shards, reason, SQL per shard, merge steps. Runs nothing of it. */
export const explain: Command<ExplainOptions> = async (context, options) => {
  const { schema, topology } = await context.open()
  const router = createShardRouter({ schema, topology })
  try {
    const query = await readQuery(options, router.db)
    const key = options.for === undefined ? {} : { for: keyOf(options.for) }
    const explanation = await router.explain(query, { fanOut: options.fanOut !== false, ...key })
    return { data: explanation, render: (width) => wrap(String(explanation), width, '    ') }
  } finally {
    await router.close()
  }
}

function keyOf(text: string): Readonly<Record<string, string>> {
  const [, family, key] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (family === undefined || key === undefined) {
    throw new CliError({
      code: 'USAGE',
      message: `--for takes family=key, not ${JSON.stringify(text)}.`,
      hint: 'e.g. --for user_id=42',
    })
  }
  return { [family]: key }
}

async function readQuery({ query, sql: isSql }: ExplainOptions, db: unknown): Promise<Explainable> {
  if (isSql) return CompiledQuery.raw(query)
  if (query.endsWith('.sql')) return CompiledQuery.raw(await load(query, (file) => readFile(file, 'utf8')))
  const made = /\.[mc]?[jt]s$/.test(query) ? (await importQuery(query))(db) : evaluate(query, db)
  if (typeof made === 'object' && made !== null && 'compile' in made) return made as Explainable
  throw notAQuery(query)
}

async function importQuery(file: string): Promise<QueryOf> {
  const module: { default?: unknown } = await load(file, (resolved) => import(pathToFileURL(resolved).href))
  if (typeof module.default === 'function') return module.default as QueryOf
  throw notAQuery(file)
}

async function load<T>(file: string, read: (resolved: string) => Promise<T>): Promise<T> {
  try {
    return await read(path.resolve(file))
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

/** The expression is the user's own, typed into the user's own shell. */
function evaluate(expression: string, db: unknown): unknown {
  try {
    return new Function('db', 'sql', `return (${expression})`)(db, sql)
  } catch (cause) {
    throw unreadable('The expression', cause)
  }
}

function unreadable(what: string, cause: unknown): CliError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CliError({ code: 'USAGE', message: `${what} cannot be read: ${reason}`, hint: usage, cause })
}

const usage =
  'Give "db.selectFrom(...)...", a file whose default export is (db) => query, a .sql file, or SQL with --sql.'

function notAQuery(what: string): CliError {
  return new CliError({ code: 'USAGE', message: `${what} gives no Kysely query.`, hint: usage })
}
