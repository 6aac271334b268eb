import { indexAdvisors } from '@shardwright/monitor'
import { adviceCheck } from './advice-check.ts'

/** Indexes that nothing reads or that another stands for, and foreign keys and large scanned tables without one. */
export const indexesCheck = adviceCheck('indexes', indexAdvisors)
