import { type Alarm, describeAlarm, type MonitorRound, type Sample } from '@shardwright/monitor'
import { formatBytes } from '../../output/bytes.ts'
import { type Column, renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'

const marks = { warning: '!', critical: '!!' } as const

/** One look at the fleet as a screen: a line per shard, then what is beyond its limits, then what could not be measured. */
export function renderRound(
  name: string,
  round: MonitorRound,
  alarms: readonly Alarm[],
  width: number,
  hint?: string,
): string {
  const shards = [...new Set(round.samples.flatMap(({ labels }) => labels.shard ?? []))]
  const table = fitting(
    shards.map((shard) => ofShard(shard, round.samples, alarms)),
    width,
  )
  const said = alarms.map((alarm) => wrap(describeAlarm(alarm), width, '  '))
  const failed = round.failures.map(({ error }) => wrap(error.message, width, '  '))
  const head = `${name}, ${new Date(round.atMs).toISOString()}${hint === undefined ? '' : `. ${hint}`}`
  return [head, '', table, ...section(said), ...section(failed)].join('\n')
}

const columns: readonly Column<ShardLine>[] = [
  { title: 'shard', of: (line) => line.shard, shrinks: true },
  {
    title: 'trip',
    of: (line) => (line.down ? 'down' : line.text('round_trip_ms', (ms) => `${round1(ms)} ms`)),
    align: 'right',
  },
  { title: 'conn', of: (line) => line.text('connections_ratio', percent), align: 'right' },
  { title: 'tx/s', of: (line) => line.text('commits_per_second', count), align: 'right' },
  { title: 'hits', of: (line) => line.text('cache_hit_ratio', percent), align: 'right' },
  { title: 'cpu', of: (line) => line.text('cpu_ratio', percent), align: 'right' },
  { title: 'size', of: sizeOf, align: 'right' },
  { title: 'lag', of: (line) => line.text('replication_lag_seconds', seconds), align: 'right' },
  { title: 'locks', of: (line) => line.text('sessions_waiting_for_locks', count), align: 'right' },
  { title: 'oldest', of: (line) => line.text('longest_transaction_seconds', seconds), align: 'right' },
  { title: 'doubt', of: (line) => line.text('in_doubt_transactions', count), align: 'right' },
]

/** What a narrow screen leaves out first: beyond a limit, it is told below the table anyway. */
const firstToGo = ['oldest', 'hits', 'lag', 'cpu']

function fitting(lines: readonly ShardLine[], width: number): string {
  for (let gone = 0; ; gone++) {
    const without = firstToGo.slice(0, gone)
    const table = renderTable(
      lines,
      columns.filter(({ title }) => !without.includes(title)),
      width,
    )
    if (gone === firstToGo.length || table.split('\n').every((line) => line.length <= width)) return table
  }
}

/** With the share of the disk, where its size is stated. */
function sizeOf(line: ShardLine): string | undefined {
  const parts = [line.text('database_bytes', formatBytes), line.text('disk_ratio', percent)]
  return parts.filter((part) => part !== undefined).join(' ')
}

function section(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines]
}

interface ShardLine {
  readonly shard: string
  readonly down: boolean
  /** The highest value of the metric on this shard, marked when it is beyond a limit. */
  text(metric: string, show: (value: number) => string): string | undefined
}

function ofShard(shard: string, samples: readonly Sample[], alarms: readonly Alarm[]): ShardLine {
  const own = samples.filter(({ labels }) => labels.shard === shard)
  return {
    shard,
    down: own.some(({ metric, value }) => metric === 'up' && value === 0),
    text(metric, show) {
      const values = own.flatMap((sample) => (sample.metric === metric ? (sample.value ?? []) : []))
      if (values.length === 0) return undefined
      const levels = alarms
        .filter((alarm) => alarm.metric === metric && alarm.shard === shard)
        .map(({ level }) => level)
      const mark = levels.includes('critical') ? marks.critical : levels.includes('warning') ? marks.warning : ''
      return `${show(Math.max(...values))}${mark}`
    },
  }
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)}%`
}

function seconds(value: number): string {
  return `${round1(value)} s`
}

function count(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(round1(value))
}

function round1(value: number): number {
  return Math.round(value * 10) / 10
}
