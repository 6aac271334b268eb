import { statementAdvisors } from '@shardwright/monitor'
import { adviceCheck } from './advice-check.ts'

/** The slowest statements and their plans, where pg_stat_statements is installed. */
export const statementsCheck = adviceCheck('statements', statementAdvisors)
