import { settingsAdvice } from '@shardwright/monitor'
import { adviceCheck } from './advice-check.ts'
import type { Check } from './check.ts'

/** Settings against one another and against the size of the machine, which the configuration may state. */
export const sizingCheck: Check = {
  name: 'sizing',
  run: (patient) => adviceCheck('sizing', [settingsAdvice({ machines: patient.config.machines })]).run(patient),
}
