import { ctes } from './shapes/ctes.ts'
import { groupedText } from './shapes/grouped-text.ts'
import { groups } from './shapes/groups.ts'
import { rows } from './shapes/rows.ts'
import { setOperations } from './shapes/set-operations.ts'
import type { Shape } from './shapes/shape.ts'
import { subqueries } from './shapes/subqueries.ts'
import { writes } from './shapes/writes.ts'

/** Shapes that the generator does not reach, or seldom. */
export const shapes: readonly Shape[] = [
  ...groupedText,
  ...writes,
  ...ctes,
  ...setOperations,
  ...groups,
  ...subqueries,
  ...rows,
]
