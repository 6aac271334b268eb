import type { ScalingAction } from './decide.ts'
import type { ScalingTarget } from './scaling-target.ts'

/**
 * A target that a person resizes: an action is said, not done.
 * @example
 * recommend({ size: () => 4, say: ({ reason, to }) => console.warn(`scale to ${to} shards: ${reason}`) })
 */
export function recommend(options: {
  readonly size: () => number | Promise<number>
  readonly say: (action: ScalingAction) => void | Promise<void>
}): ScalingTarget {
  const { size, say } = options
  return Object.freeze({
    currentSize: async () => await size(),
    resize: async (action: ScalingAction) => {
      await say(action)
    },
  })
}
