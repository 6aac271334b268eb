import type { ScalingAction } from './decide.ts'

/** What a scaling rule's `target` names: something with a size. */
export interface ScalingTarget {
  /** The size now, in the unit of the rules. */
  currentSize(): Promise<number>
  /** Makes `action.to` the size. Resolves when the change is accepted; throws when it is not. */
  resize(action: ScalingAction): Promise<void>
}
