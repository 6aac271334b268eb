import { readServerFacts } from '../server-facts.ts'
import { type Check, eachShard, type Symptom } from './check.ts'

const oldestVersion = 14

/** Versions, clocks, connections, prepared transactions that nobody ended. */
export const serverCheck: Check = {
  name: 'servers',
  run: ({ fleet }) =>
    eachShard(fleet, 'servers', async (shard) => {
      const facts = await readServerFacts(shard)
      const at = { check: 'servers', shard: shard.id }
      const symptoms: Symptom[] = []
      if (Number.parseInt(facts.version, 10) < oldestVersion) {
        symptoms.push({
          ...at,
          severity: 'error',
          message: `PostgreSQL ${facts.version.split(' ')[0]} is too old: partitions need ${oldestVersion}`,
          remedy: 'Upgrade the server with pg_upgrade or by logical replication.',
        })
      }
      if (Math.abs(facts.skewMs) > 500) {
        symptoms.push({
          ...at,
          severity: 'warning',
          message: `its clock is ${Math.round(facts.skewMs)} ms off ours`,
          remedy: 'Let both follow the same NTP servers.',
        })
      }
      if (facts.serverConnections > 0.8 * facts.maxConnections) {
        symptoms.push({
          ...at,
          severity: 'warning',
          message: `${facts.serverConnections} of ${facts.maxConnections} connections are taken`,
          remedy: 'Lower the pools, or put PgBouncer before it.',
        })
      }
      if (facts.inDoubt > 0) {
        symptoms.push({
          ...at,
          severity: 'error',
          message: `${facts.inDoubt} prepared transactions wait for their end and hold their locks`,
          remedy: 'shardwright transactions recover',
        })
      }
      const late = facts.replicas.filter((replica) => (replica.lagBytes ?? 0) > 64e6)
      if (late.length > 0) {
        symptoms.push({
          ...at,
          severity: 'warning',
          message: `${late.map((replica) => replica.name).join(', ')} is far behind`,
          remedy: 'Look at the replica; reads fall back to the primary.',
        })
      }
      return symptoms
    }),
}
