import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { CliError } from '../errors/cli-error.ts'
import type { ShardwrightConfig } from './config.ts'
import { configShape } from './config-shape.ts'

export interface LoadedConfig {
  readonly config: ShardwrightConfig
  /** The folder that its relative paths start from. */
  readonly folder: string
}

const names = ['shardwright.config.ts', 'shardwright.config.mts', 'shardwright.config.js', 'shardwright.config.mjs']

/**
 * Loads the configuration; TypeScript is read by Node itself, so it may use erasable syntax only.
 *
 * @throws CliError CONFIG_NOT_FOUND, CONFIG_INVALID
 */
export async function loadConfig(file: string | undefined): Promise<LoadedConfig> {
  const found = findConfig(file)
  const module = await importConfig(found)
  const checked = configShape.safeParse(module.default)
  if (!checked.success) throw invalid(found, z.prettifyError(checked.error))
  return { config: module.default as ShardwrightConfig, folder: path.dirname(found) }
}

function findConfig(file: string | undefined): string {
  const candidates = file === undefined ? names.map((name) => path.resolve(name)) : [path.resolve(file)]
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found) return found
  throw new CliError({
    code: 'CONFIG_NOT_FOUND',
    message:
      file === undefined ? `There is no shardwright.config.ts in ${process.cwd()}.` : `There is no ${candidates[0]}.`,
    hint: 'Run `shardwright init`, go to the folder that has it, or pass --config <file>.',
  })
}

async function importConfig(file: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(file).href)) as { default?: unknown }
  } catch (cause) {
    throw invalid(file, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function invalid(file: string, problem: string, cause?: unknown): CliError {
  return new CliError({
    code: 'CONFIG_INVALID',
    message: `${path.basename(file)} cannot be used: ${problem}`,
    hint: 'It exports `default defineConfig({ schema, topology, ... })`; see `shardwright init`.',
    details: { file },
    cause,
  })
}
