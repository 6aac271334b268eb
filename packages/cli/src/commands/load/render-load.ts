import type { LatencySummary, LoadMemory, LoadReport } from '@shardwright/monitor'
import { formatBytes, formatDuration } from '../../output/bytes.ts'
import { renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'

const ends = {
  done: 'ran to its end',
  interrupted: 'was interrupted',
  errors: 'ended by itself: most calls failed',
  overload: 'ended by itself: the system does not keep up',
} as const

interface Line {
  readonly operation: string
  readonly calls: number
  readonly errors: number
  readonly latency: LatencySummary
}

export function renderLoad(title: string, report: LoadReport, width: number): string {
  const { operations, latency, calls, errors } = report
  const all: Line = { operation: 'all', calls, errors, latency }
  const lines: readonly Line[] = operations.length > 1 ? [...operations, all] : operations
  const table = renderTable(
    lines,
    [
      { title: 'operation', of: (line) => line.operation, shrinks: true },
      { title: 'calls', of: (line) => line.calls, align: 'right' },
      { title: 'errors', of: (line) => line.errors, align: 'right' },
      ...(['p50', 'p95', 'p99', 'p999', 'max'] as const).map((name) => ({
        title: name,
        of: (line: Line) => shown(line.latency[name]),
        align: 'right' as const,
      })),
    ],
    width,
  )
  const codes = Object.entries(report.errorCodes).map(([code, times]) => `${code} ${times}`)
  return [
    wrap(
      `${title}: ${ends[report.end]} after ${formatDuration(report.durationMs)}, ${Math.round(report.throughput)} good calls a second`,
      width,
    ),
    '',
    table,
    '',
    wrap(`Latencies count from when a call was due; service alone: p99 ${shown(report.service.p99)}.`, width),
    wrap(`Memory of this process: ${shownMemory(report.memory)}.`, width),
    ...(codes.length > 0 ? [wrap(`Errors: ${codes.join(', ')}`, width, '  ')] : []),
    ...((report.lateness.p99 ?? 0) > 20
      ? [`This process was late by ${shown(report.lateness.p99)} (p99): it is the limit itself.`]
      : []),
    ...report.broken.map((limit) => wrap(`Broken: ${limit}`, width, '  ')),
  ].join('\n')
}

function shownMemory({ rssBytes: { start, end, most }, heapBytes }: LoadMemory): string {
  const heap = `heap ${formatBytes(heapBytes.start)} to ${formatBytes(heapBytes.end)}`
  return `${formatBytes(start)} at first, ${formatBytes(end)} in the end, ${formatBytes(most)} at most; ${heap}`
}

function shown(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined
  return ms < 10 ? `${Math.round(ms * 10) / 10} ms` : formatDuration(ms)
}
