import { type AnyTopology, type CitusTopology, isCitus, type Topology } from '@shardwright/core'
import { CliError } from '../errors/cli-error.ts'

/** The topology of hash shards; `instead` says what does the work on Citus. @throws CliError WRONG_ENGINE */
export function hashTopology(topology: AnyTopology, instead: string): Topology {
  if (!isCitus(topology)) return topology
  throw new CliError({
    code: 'WRONG_ENGINE',
    message: 'This command is for hash shards, and the topology is a Citus cluster.',
    hint: instead,
  })
}

/** @throws CliError WRONG_ENGINE */
export function citusTopology(topology: AnyTopology): CitusTopology {
  if (isCitus(topology)) return topology
  throw new CliError({
    code: 'WRONG_ENGINE',
    message: 'This command is for a Citus cluster, and the topology has hash shards.',
    hint: "Take a configuration with `topology: { engine: 'citus', coordinator }`.",
  })
}
