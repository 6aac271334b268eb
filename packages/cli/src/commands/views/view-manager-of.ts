import { createViewManager, type Rollup, type View, type ViewManager } from '@shardwright/view-manager'
import { CliError } from '../../errors/cli-error.ts'
import type { OpenedConfig } from '../../run/command.ts'

export interface ConfiguredViews {
  readonly views: readonly View[]
  readonly rollups: readonly Rollup[]
}

/** The views of the configuration. @throws CliError CONFIG_INVALID when it has none */
export function viewsOf({ config }: Pick<OpenedConfig, 'config'>): ConfiguredViews {
  const all = config.views ?? []
  if (all.length === 0) {
    throw new CliError({
      code: 'CONFIG_INVALID',
      message: 'The configuration has no views.',
      hint: 'Add `views: [defineView<Database>()({ ... })]` to shardwright.config.ts.',
    })
  }
  return {
    views: all.filter((one): one is View => one.kind === 'view'),
    rollups: all.filter((one): one is Rollup => one.kind === 'rollup'),
  }
}

export function viewManagerOf(opened: OpenedConfig): ViewManager {
  return createViewManager({ fleet: opened.fleet, schema: opened.schema, ...viewsOf(opened) })
}
