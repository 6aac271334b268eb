import { inspectKeys, isCitus } from '@shardwright/core'
import { exitCode } from '../../output/exit-code.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'
import { callersCheck } from './callers-check.ts'
import { type Check, notMade, type Patient, type Symptom } from './check.ts'
import { citusNodesCheck } from './citus-nodes-check.ts'
import { citusReferenceCheck } from './citus-reference-check.ts'
import { citusSettingsCheck } from './citus-settings-check.ts'
import { citusTablesCheck } from './citus-tables-check.ts'
import { disksCheck } from './disks-check.ts'
import { driftCheck } from './drift-check.ts'
import { indexesCheck } from './indexes-check.ts'
import { keysCheck } from './keys-check.ts'
import { ladderCheck } from './ladder-check.ts'
import { lookupsCheck } from './lookups-check.ts'
import { migrationsCheck } from './migrations-check.ts'
import { ownershipCheck } from './ownership-check.ts'
import { partitionsCheck } from './partitions-check.ts'
import { referenceCheck } from './reference-check.ts'
import { serverCheck } from './server-check.ts'
import { settingsCheck } from './settings-check.ts'
import { sizingCheck } from './sizing-check.ts'
import { statementsCheck } from './statements-check.ts'

const hashChecks: readonly Check[] = [
  serverCheck,
  settingsCheck,
  sizingCheck,
  migrationsCheck,
  driftCheck,
  keysCheck,
  ownershipCheck,
  referenceCheck,
  partitionsCheck,
  indexesCheck,
  lookupsCheck,
  statementsCheck,
  callersCheck,
  disksCheck,
  ladderCheck,
]

/** The coordinator's own indexes say nothing: its tables are empty. */
const citusChecks: readonly Check[] = [
  citusNodesCheck,
  citusSettingsCheck,
  migrationsCheck,
  citusTablesCheck,
  keysCheck,
  citusReferenceCheck,
  partitionsCheck,
  statementsCheck,
  callersCheck,
]

/** A check that had nothing to look at. */
interface Unseen {
  readonly check: string
  readonly reason: string
}

interface Examination {
  readonly score: number
  readonly checks: readonly Check[]
  readonly symptoms: readonly Symptom[]
  readonly unseen: readonly Unseen[]
}

/** Examines the whole fleet; says what is wrong, how much it matters and what to do. */
export const doctor: Command = async (context) => {
  const opened = await context.open()
  const checks = isCitus(opened.topology) ? citusChecks : hashChecks
  const patient: Patient = { ...opened, keys: await readKeys(opened), local: context.global.local === true }
  const symptoms: Symptom[] = []
  const unseen: Unseen[] = []
  for (const check of checks) {
    if (context.signal.aborted) break
    const found = await examine(check, patient)
    symptoms.push(...found)
    const reason = found.length === 0 ? await check.unseen?.(patient) : undefined
    if (reason !== undefined) unseen.push({ check: check.name, reason })
  }
  const score = scoreOf(symptoms)
  return {
    data: { score, checks: checks.map((check) => check.name), symptoms, unseen },
    render: (width) => renderDoctor({ score, checks, symptoms, unseen }, width),
    exitCode: symptoms.some((symptom) => symptom.severity === 'error') ? exitCode.found : exitCode.ok,
  }
}

async function readKeys({ fleet, schema }: Pick<Patient, 'fleet' | 'schema'>) {
  try {
    await using connection = await fleet.shards[0]!.connect({ applicationName: 'shardwright-doctor' })
    return await inspectKeys(connection, schema)
  } catch {
    return undefined // the ownership check says so
  }
}

async function examine(check: Check, patient: Patient): Promise<readonly Symptom[]> {
  try {
    return await check.run(patient)
  } catch (error) {
    return [notMade(check.name, error)]
  }
}

const weights = { error: 20, warning: 7, advice: 1 }

/** 100 is healthy. The same symptom on several shards counts once, advice takes ten points at most. */
function scoreOf(symptoms: readonly Symptom[]): number {
  const kinds = new Map(symptoms.map((symptom) => [`${symptom.check} ${symptom.message}`, symptom.severity]))
  const sum = (severity: Symptom['severity']) =>
    [...kinds.values()].filter((own) => own === severity).length * weights[severity]
  return Math.max(0, 100 - sum('error') - sum('warning') - Math.min(10, sum('advice')))
}

function renderDoctor({ score, checks, symptoms, unseen }: Examination, width: number): string {
  const lines = (['error', 'warning', 'advice'] as const).flatMap((severity) =>
    grouped(symptoms.filter((symptom) => symptom.severity === severity)).flatMap(([symptom, shards]) => [
      wrap(
        `${severity.padEnd(7)}  ${shards.length > 0 ? `${shards.join(', ')}: ` : ''}${symptom.message}`,
        width,
        '         ',
      ),
      wrap(`         -> ${symptom.remedy}`, width, '            '),
    ]),
  )
  const loud = new Set([...symptoms, ...unseen].map(({ check }) => check))
  const quiet = checks.map((check) => check.name).filter((name) => !loud.has(name))
  return [
    `Score ${score} of 100.`,
    ...(lines.length > 0 ? ['', ...lines] : []),
    '',
    wrap(`Fine: ${quiet.join(', ') || 'nothing'}.`, width),
    ...unseen.map(({ check, reason }) => wrap(`Not seen: ${check} (${reason}).`, width, '  ')),
  ].join('\n')
}

function grouped(symptoms: readonly Symptom[]): readonly (readonly [Symptom, readonly string[]])[] {
  const groups = new Map<string, [Symptom, string[]]>()
  for (const symptom of symptoms) {
    const key = `${symptom.check} ${symptom.message}`
    const group = groups.get(key) ?? [symptom, []]
    if (symptom.shard !== undefined) group[1].push(symptom.shard)
    groups.set(key, group)
  }
  return [...groups.values()]
}
