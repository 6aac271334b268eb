import { hostname } from 'node:os'
import { type Clock, type Fleet, systemClock } from '@shardwright/core'
import { z } from 'zod'
import { MonitorError } from '../errors/monitor-error.ts'
import { parseOptions } from '../errors/parse-options.ts'
import type { HotKeys } from '../keys/hot-keys.ts'
import { OngoingLoop } from '../ongoing-loop.ts'
import type { CallerTelemetry } from '../telemetry/caller-telemetry.ts'
import type { CallerReportBody } from './caller-report.ts'
import { writeCallerReport } from './caller-reports-table.ts'

export interface CallerReporterOptions {
  readonly fleet: Fleet
  /** Whose scattering statements are reported; it is told when a report cannot be written. */
  readonly telemetry: CallerTelemetry
  /** Whose most frequent keys are reported. */
  readonly keys?: Pick<HotKeys, 'top'> | undefined
  /** Writes the keys themselves, which are data of users, and not only how frequent they are. Default: false. */
  readonly showKeys?: boolean | undefined
  /** The name of this process. Default: host and process id. */
  readonly process?: string | undefined
  /** Between two reports, milliseconds. Default: 60000. */
  readonly everyMs?: number | undefined
  /** How long a report may take, milliseconds. Default: 5000. */
  readonly budgetMs?: number | undefined
  readonly clock?: Clock | undefined
}

const positive = z.number().positive()
const shape = z.strictObject({
  fleet: z.custom<Fleet>((value) => Array.isArray((value as Fleet | undefined)?.shards), 'pass a Fleet'),
  telemetry: z.custom<CallerTelemetry>(
    (value) => typeof (value as CallerTelemetry | undefined)?.scatters === 'function',
    'pass callerTelemetry()',
  ),
  keys: z.custom<Pick<HotKeys, 'top'>>().optional(),
  showKeys: z.boolean().default(false),
  process: z
    .string()
    .min(1)
    .max(200)
    .default(() => `${hostname()}/${process.pid}`),
  everyMs: positive.default(60_000),
  budgetMs: positive.default(5_000),
  clock: z.custom<Clock>().default(systemClock),
})

const listed = 20
const longest = 200

/** Tells the fleet what only this process knows. Made by `createCallerReporter`. */
export class CallerReporter implements AsyncDisposable {
  readonly #options: z.output<typeof shape>
  readonly #loop = new OngoingLoop((signal) => this.#run(signal))

  constructor(options: CallerReporterOptions) {
    this.#options = parseOptions('The caller reporter', shape, options)
  }

  /**
   * Writes one report, to the first shard that takes it.
   * @throws MonitorError CALLER_REPORT_FAILED
   */
  async report(): Promise<void> {
    const { fleet, process, budgetMs } = this.#options
    const report = this.#body()
    let failure: unknown
    for (const shard of fleet.shards) {
      try {
        const signal = AbortSignal.timeout(budgetMs)
        await using connection = await shard.connect({ applicationName: 'shardwright callers', signal })
        await connection.script(`set statement_timeout = ${Math.ceil(budgetMs)}`)
        return await writeCallerReport(connection, process, report)
      } catch (error) {
        failure = error
      }
    }
    const reason = failure instanceof Error ? failure.message : String(failure)
    throw new MonitorError({
      code: 'CALLER_REPORT_FAILED',
      message: `The report of '${process}' was not written: ${reason}`,
      cause: failure,
    })
  }

  /** Reports again and again until `stop`. Holds no process open. */
  start(): void {
    this.#loop.start()
  }

  /** Ends; the last report stays, and ages. */
  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, telemetry } = this.#options
    const pause = () => clock.sleep(everyMs, { signal, unref: true }).catch(() => {}) // stopped: the loop sees it
    // Of a process that has just begun there is nothing to tell.
    for (await pause(); !signal.aborted; await pause()) {
      try {
        await this.report()
      } catch (error) {
        telemetry.log('warn', error instanceof Error ? error.message : String(error))
      }
    }
  }

  #body(): CallerReportBody {
    const { telemetry, keys, showKeys } = this.#options
    return {
      scatters: telemetry
        .scatters()
        .slice(0, listed)
        .map(({ statement, calls, shards }) => ({ statement: statement.slice(0, longest), calls, shards })),
      keys: (keys?.top() ?? []).slice(0, listed).map(({ family, key, uses, share }) => ({
        family,
        uses,
        share,
        ...(showKeys && { key: key.slice(0, longest) }),
      })),
    }
  }
}

/**
 * Lets `shardwright doctor` see what only the processes know, the statements that scatter and the hot keys: a bounded summary
 * of the last minutes in `shardwright.caller_reports`, without values of parameters.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * await using reporter = createCallerReporter({ fleet: router.fleet, telemetry, keys })
 * reporter.start()
 */
export function createCallerReporter(options: CallerReporterOptions): CallerReporter {
  return new CallerReporter(options)
}
