import { citusAvailability } from '@shardwright/local-cluster'
import { expect, it } from 'vitest'
import { runCitusFaults } from './citus.ts'

const { available } = await citusAvailability()

it.skipIf(!available)(
  'while Citus moves and splits shards no answer is wrong and no write is lost',
  async () => {
    const report = await runCitusFaults({ seed: 11 })
    expect(report.problems).toEqual([])
    expect(report.writes).toBeGreaterThan(50)
    expect(report.metadataChanges).toBeGreaterThan(0)
  },
  90_000,
)
