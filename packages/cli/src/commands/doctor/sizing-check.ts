import { settingsAdvice } from '@shardwright/monitor'
import { adviceCheck } from './advice-check.ts'

/** Settings against one another and against the size of the machine. */
export const sizingCheck = adviceCheck('sizing', [settingsAdvice()])
