import { fitName, qualified } from '../sql/identifier.ts'

/** Deterministic, so that a run after a kill finds what is there. */
export interface ConvertNames {
  readonly source: string
  readonly shadowName: string
  readonly shadow: string
  readonly oldName: string
  readonly log: string
  readonly logName: string
  readonly capture: string
}

export const captureTrigger = 'shardwright_convert_capture'
export const truncateTrigger = 'shardwright_convert_truncate'

export function convertNames(schema: string, table: string, oid: string): ConvertNames {
  const shadowName = fitName(table, '_sw_new')
  return Object.freeze({
    source: qualified(schema, table),
    shadowName,
    shadow: qualified(schema, shadowName),
    oldName: fitName(table, '_sw_old'),
    log: qualified('shardwright', `convert_log_${oid}`),
    logName: `convert_log_${oid}`,
    capture: qualified('shardwright', `convert_capture_${oid}`),
  })
}

/** The name of a new index before the swap gives it the old one's. */
export function newIndexName(name: string): string {
  return fitName(name, '_sw_new')
}

export function oldIndexName(name: string): string {
  return fitName(name, '_sw_old')
}
