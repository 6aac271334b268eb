import { createViewManager, type Rollup, type View, type ViewManager } from '@shardwright/view-manager'
import type { CommandResult, OpenedConfig } from '../../run/command.ts'

export interface ConfiguredViews {
  readonly views: readonly View[]
  readonly rollups: readonly Rollup[]
}

/** The views of the configuration. */
export function viewsOf({ config }: Pick<OpenedConfig, 'config'>): ConfiguredViews {
  const all = config.views ?? []
  return {
    views: all.filter((one): one is View => one.kind === 'view'),
    rollups: all.filter((one): one is Rollup => one.kind === 'rollup'),
  }
}

export function viewManagerOf(opened: OpenedConfig): ViewManager {
  return createViewManager({ fleet: opened.fleet, schema: opened.schema, ...viewsOf(opened) })
}

/** What a command answers that has nothing to do: there are no views. */
export function withoutViews({ config }: Pick<OpenedConfig, 'config'>): CommandResult | undefined {
  if (config.views?.length) return undefined
  return { data: [], render: () => 'The configuration has no views.' }
}
