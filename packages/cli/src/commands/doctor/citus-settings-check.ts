import { readNodeFacts } from '../../citus/node-facts.ts'
import { readNodes } from '../../citus/nodes.ts'
import { type Check, onEveryShard } from './check.ts'
import { judgeSettings, type SettingRule, settingRules } from './settings-check.ts'

const rules: readonly SettingRule[] = [
  ...settingRules,
  [
    'wal_level',
    (value) => value === 'logical',
    'warning',
    'shards cannot be moved, split or isolated while writes go on',
    'wal_level = logical (restart)',
  ],
  [
    // Servers without this list take any library.
    'output_plugin_libraries',
    (value) => value === '' || /(^|[,\s])citus([,\s]|$)/.test(value),
    'warning',
    'shards cannot be split, nor tenants isolated, while writes go on (`--mode block_writes` can)',
    'add citus to output_plugin_libraries (reload)',
  ],
  [
    'citus.recover_2pc_interval',
    (value) => value !== '-1',
    'error',
    'prepared transactions that a crash leaves are not ended',
    'citus.recover_2pc_interval = 1min',
  ],
]

/** The settings of every node. */
export const citusSettingsCheck: Check = {
  name: 'settings',
  run: (patient) =>
    onEveryShard(patient, 'settings', async (connection) => {
      const facts = await readNodeFacts(connection)
      return (await readNodes(connection)).flatMap(({ nodeId, name }) => {
        const found = facts.get(nodeId)
        return typeof found === 'object' ? judgeSettings(rules, found.settings, name) : []
      })
    }),
}
