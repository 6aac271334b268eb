import { type MachineSize, type MachineSizes, parseMachines } from '../../machine/machine-size.ts'
import type { Advice } from '../advice.ts'
import { type Advisor, defineAdvisor } from '../advisor.ts'
import { type Machine, readServerSettings, type ServerSettings } from './server-settings.ts'
import { settingRules } from './setting-rules.ts'

export interface SettingsAdviceOptions {
  /** Of every server; default: read from /proc, where the role may. What depends on it is not judged without. */
  readonly machine?: Machine | undefined
  /** Of single servers, by shard; these go before. */
  readonly machines?: MachineSizes | undefined
}

/** Settings against one another and against the machine. */
export function settingsAdvice({ machine, machines = {} }: SettingsAdviceOptions = {}): Advisor {
  const sizes = parseMachines(machines)
  return defineAdvisor<ServerSettings>({
    name: 'settings',
    topic: 'settings',
    gather: (connection) => readServerSettings(connection, machineOf(sizes[connection.shardId]) ?? machine),
    judge: (read) => {
      const found = new Map<string, Omit<Advice, 'topic'>>()
      for (const { shard, facts } of read) {
        for (const { setting, judge } of settingRules) {
          const fault = judge(facts)
          if (!fault) continue
          const shards = [...(found.get(fault.message)?.shards ?? []), shard]
          found.set(fault.message, { ...fault, object: setting, shards })
        }
      }
      return [...found.values()]
    },
  })
}

function machineOf(size: MachineSize | undefined): Machine | undefined {
  return size?.memoryBytes === undefined ? undefined : { memoryBytes: size.memoryBytes, cpus: size.cpus }
}
