import { type Check, onEveryShard, type Symptom } from './check.ts'

export type SettingRule = readonly [
  setting: string,
  isFine: (value: string) => boolean,
  severity: Symptom['severity'],
  why: string,
  remedy: string,
]

export const settingRules: readonly SettingRule[] = [
  ['fsync', (value) => value === 'on', 'error', 'a crash of the server loses or corrupts data', 'fsync = on'],
  [
    'full_page_writes',
    (value) => value === 'on',
    'error',
    'a crash of the machine can corrupt pages',
    'full_page_writes = on',
  ],
  [
    'synchronous_commit',
    (value) => value !== 'off',
    'warning',
    'acknowledged commits can be lost in a crash',
    'synchronous_commit = on',
  ],
  ['autovacuum', (value) => value === 'on', 'error', 'dead rows stay and transaction ids run out', 'autovacuum = on'],
  [
    'max_prepared_transactions',
    (value) => Number(value) > 0,
    'warning',
    'transactions over several shards need two-phase commit',
    'max_prepared_transactions = 64 (restart)',
  ],
  [
    'track_counts',
    (value) => value === 'on',
    'warning',
    'autovacuum and index statistics do not work',
    'track_counts = on',
  ],
]

/** Settings under which promises of the router do not hold. */
export const settingsCheck: Check = {
  name: 'settings',
  run: (patient) =>
    onEveryShard(patient, 'settings', async (connection) => {
      const { rows } = await connection.query<{ name: string; value: string }>(
        'select name, setting as value from pg_settings where name = any($1)',
        [settingRules.map(([name]) => name)],
      )
      const settings = Object.fromEntries(rows.map(({ name, value }) => [name, value]))
      const symptoms = judgeSettings(settingRules, settings, connection.shardId)
      return patient.local ? symptoms.map(asMeant) : symptoms
    }),
}

/** `shardwright dev` starts its servers without care for crashes: they are gone with it. */
function asMeant(symptom: Symptom): Symptom {
  return { ...symptom, severity: 'advice', remedy: `${symptom.remedy}; the servers of \`shardwright dev\` do without` }
}

/** What the settings of one server break. */
export function judgeSettings(
  rules: readonly SettingRule[],
  settings: Readonly<Record<string, string>>,
  shard: string,
): readonly Symptom[] {
  return rules.flatMap(([name, isFine, severity, why, remedy]): Symptom[] => {
    const value = settings[name] ?? ''
    return isFine(value) ? [] : [{ check: 'settings', severity, shard, message: `${name} is ${value}: ${why}`, remedy }]
  })
}
