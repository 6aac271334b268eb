import { alarmsOf, createMonitor, diskUse } from '@shardwright/monitor'
import { type Check, notMade, type Symptom } from './check.ts'

/** How full the disks are whose sizes the configuration states. */
export const disksCheck: Check = {
  name: 'disks',
  run: async ({ fleet, config: { machines = {} } }) => {
    if (!statesDisks(machines)) return []
    const { samples, failures } = await createMonitor({ fleet, collectors: [diskUse({ machines })] }).collect()
    const unseen = failures.map(({ shard, error }) => notMade('disks', error, shard))
    const full = alarmsOf(samples.filter(({ metric }) => metric === 'disk_ratio')).map(
      ({ shard, subject, level, value, remedy }): Symptom => ({
        check: 'disks',
        severity: level === 'critical' ? 'error' : 'warning',
        shard,
        message: `the volume ${subject.split('/').at(-1)} is ${Math.round(value * 100)} % full, at least`,
        remedy,
      }),
    )
    return [...unseen, ...full]
  },
  unseen: async ({ config: { machines = {} } }) =>
    statesDisks(machines) ? undefined : 'the configuration states no sizes: `machines`',
}

function statesDisks(machines: Parameters<typeof diskUse>[0]['machines']): boolean {
  return Object.values(machines).some(({ diskBytes, tablespaceBytes }) => diskBytes ?? tablespaceBytes)
}
