import type { ServerSettings, SettingName } from './server-settings.ts'

/** What is wrong with a setting. */
export interface SettingFault {
  readonly severity: 'warning' | 'advice'
  readonly message: string
  readonly remedy: string
}

/** Judges one setting against the others and the machine; undefined when it is fine or cannot be judged. */
export interface SettingRule {
  readonly setting: SettingName
  judge(server: ServerSettings): SettingFault | undefined
}

const MB = 1024 ** 2
const GB = 1024 ** 3

/** A setting and, where the rule needs it, the machine's memory. */
function rule(
  setting: SettingName,
  judge: (value: number, memory: number | undefined, server: ServerSettings) => SettingFault | undefined,
): SettingRule {
  return Object.freeze<SettingRule>({
    setting,
    judge(server) {
      const value = server.values.get(setting)
      return value === undefined ? undefined : judge(value, server.machine?.memoryBytes, server)
    },
  })
}

/** The rules, one per setting, as PostgreSQL's own documentation and its operators put them. */
export const settingRules: readonly SettingRule[] = Object.freeze([
  rule('shared_buffers', (value, memory) => {
    if (memory === undefined || memory < 1 * GB) return undefined
    const share = value / memory
    const message = `shared_buffers is ${size(value)}, ${percent(share)} of the machine's ${size(memory)}`
    if (share > 0.5)
      return { severity: 'warning', message, remedy: `shared_buffers = '${size(memory * 0.25)}' (restart)` }
    if (share >= 0.1) return undefined
    return { severity: 'advice', message, remedy: `shared_buffers = '${size(memory * 0.25)}' (restart)` }
  }),
  rule('work_mem', (value, memory, { values }) => {
    const connections = values.get('max_connections') ?? 0
    if (memory === undefined || value * connections <= memory * 0.5) return undefined
    return {
      severity: 'warning',
      message: `work_mem (${size(value)}) times max_connections (${connections}) is ${size(value * connections)}, and the machine has ${size(memory)}: sorts of all sessions together can end the server`,
      remedy: `work_mem = '${size(Math.max(MB, (memory * 0.25) / connections))}', more per session where a report needs it`,
    }
  }),
  rule('effective_cache_size', (value, memory) => {
    if (memory === undefined || memory < 1 * GB) return undefined
    const share = value / memory
    if (share >= 0.35 && share <= 0.95) return undefined
    return {
      severity: 'advice',
      message: `effective_cache_size is ${size(value)}, ${percent(share)} of the machine's ${size(memory)}: the planner misjudges what is in memory`,
      remedy: `effective_cache_size = '${size(memory * 0.7)}'`,
    }
  }),
  rule('maintenance_work_mem', (value, memory) => {
    if (memory === undefined || memory < 8 * GB || value > 64 * MB) return undefined
    return {
      severity: 'advice',
      message: `maintenance_work_mem is ${size(value)}: vacuum and index builds take longer than they need to`,
      remedy: `maintenance_work_mem = '${size(Math.min(2 * GB, memory / 16))}'`,
    }
  }),
  rule('max_connections', (value, _, { machine }) => {
    const cpus = machine?.cpus
    if (cpus === undefined || value <= Math.max(200, cpus * 50)) return undefined
    return {
      severity: 'advice',
      message: `max_connections is ${value} on ${cpus} CPUs: so many sessions at work are slower than fewer`,
      remedy: 'Put PgBouncer before the server, or lower the pools of the processes.',
    }
  }),
  rule('max_prepared_transactions', (value, _, { values }) => {
    const connections = values.get('max_connections') ?? 0
    if (value === 0 || value >= connections * 0.1) return undefined
    return {
      severity: 'advice',
      message: `max_prepared_transactions is ${value} for ${connections} connections: more transactions over shards at once are refused`,
      remedy: `max_prepared_transactions = ${Math.ceil(connections * 0.5)} (restart)`,
    }
  }),
  rule('random_page_cost', (value) => {
    if (value < 3) return undefined
    return {
      severity: 'advice',
      message: `random_page_cost is ${value}, which is meant for spinning disks: index scans look dearer than they are`,
      remedy: 'random_page_cost = 1.1 on SSDs',
    }
  }),
  rule('max_wal_size', (value, _, { forcedCheckpoints }) => {
    if (forcedCheckpoints === undefined || forcedCheckpoints < 0.3) return undefined
    return {
      severity: 'warning',
      message: `${percent(forcedCheckpoints)} of the checkpoints came because max_wal_size (${size(value)}) was reached: pages are written to the log again and again`,
      remedy: `max_wal_size = '${size(value * 4)}'`,
    }
  }),
  rule('checkpoint_timeout', (value) => {
    if (value >= 300_000) return undefined
    return {
      severity: 'advice',
      message: `checkpoint_timeout is ${value / 1000} s: frequent checkpoints write more`,
      remedy: "checkpoint_timeout = '15min'",
    }
  }),
  rule('checkpoint_completion_target', (value) => {
    if (value >= 0.8) return undefined
    return {
      severity: 'advice',
      message: `checkpoint_completion_target is ${value}: checkpoints come in bursts that statements wait for`,
      remedy: 'checkpoint_completion_target = 0.9',
    }
  }),
  rule('idle_in_transaction_session_timeout', (value) => {
    if (value > 0) return undefined
    return {
      severity: 'advice',
      message:
        'idle_in_transaction_session_timeout is 0: a client that hangs in a transaction holds its locks for ever',
      remedy: "idle_in_transaction_session_timeout = '5min'",
    }
  }),
])

/** As PostgreSQL writes and reads it. */
function size(bytes: number): string {
  if (bytes >= 10 * GB || (bytes >= GB && bytes % GB === 0)) return `${Math.round(bytes / GB)}GB`
  return bytes >= MB ? `${Math.round(bytes / MB)}MB` : `${Math.round(bytes / 1024)}kB`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
