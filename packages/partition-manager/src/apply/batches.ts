import type { CreatePartition, PartitionAction } from '../plan/action.ts'
import type { PartitionPlan } from '../plan/partition-plan.ts'

/** Creations in one transaction: sessions that use the table notice them once, and locks of the catalog stay short. */
const together = 24

/**
 * The actions of a plan in their order, neighbouring creations taken together. With a DEFAULT partition or outgoing
 * foreign keys each is alone: ATTACH then locks DEFAULT or the referenced tables, and must let go of them at once.
 */
export function batchesOf({ actions, state }: PartitionPlan): readonly (readonly PartitionAction[])[] {
  const alone = state.defaultPartition !== undefined || state.outgoingForeignKeys.length > 0 || state.parent.distributed
  const batches: PartitionAction[][] = []
  for (const action of actions) {
    const last = batches.at(-1)
    if (!alone && action.kind === 'create' && last?.[0]?.kind === 'create' && last.length < together) last.push(action)
    else batches.push([action])
  }
  return batches
}

export function isCreation(action: PartitionAction): action is CreatePartition {
  return action.kind === 'create'
}
