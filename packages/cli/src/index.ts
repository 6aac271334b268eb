export { defineLoad, type LoadContext } from './commands/load/define-load.ts'
export {
  type ConfigCitusTopology,
  type ConfigServer,
  type ConfigShard,
  type ConfigTopology,
  defineConfig,
  type MigrationConfig,
  type ShardwrightConfig,
} from './config/config.ts'
export { type EnvironmentVariable, env, readVariable } from './config/env.ts'
export { resolveTopology } from './config/resolve-topology.ts'
export { CliError } from './errors/cli-error.ts'
export { cliErrorCodes } from './errors/cli-error-codes.ts'
export { exitCode } from './output/exit-code.ts'
