import type { LintRule } from './lint-rule.ts'
import { addColumn } from './rules/add-column.ts'
import { attachPartition } from './rules/attach-partition.ts'
import { breaksRunningCode } from './rules/breaks-running-code.ts'
import { constraintValidatedAtOnce } from './rules/constraint-validated-at-once.ts'
import { foreignKeyAcrossFamilies } from './rules/foreign-key-across-families.ts'
import { indexWithoutConcurrently } from './rules/index-without-concurrently.ts'
import { keyAltered } from './rules/key-altered.ts'
import { longHold } from './rules/long-hold.ts'
import { outsideTransaction } from './rules/outside-transaction.ts'
import { referenceRowsDiffer } from './rules/reference-rows-differ.ts'
import { rowsOnEveryShard } from './rules/rows-on-every-shard.ts'
import { setNotNull } from './rules/set-not-null.ts'
import { shardedTableShape } from './rules/sharded-table-shape.ts'
import { tableRewrite } from './rules/table-rewrite.ts'
import { uniqueWithoutKey } from './rules/unique-without-key.ts'

/** Every rule, in the order of its findings. */
export const lintRules: readonly LintRule[] = Object.freeze([
  outsideTransaction,
  addColumn,
  setNotNull,
  indexWithoutConcurrently,
  constraintValidatedAtOnce,
  tableRewrite,
  longHold,
  attachPartition,
  breaksRunningCode,
  uniqueWithoutKey,
  shardedTableShape,
  foreignKeyAcrossFamilies,
  keyAltered,
  referenceRowsDiffer,
  rowsOnEveryShard,
])
