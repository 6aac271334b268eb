import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  type HistoryPoint,
  parseHistoryPoints,
  parseScalingRules,
  plotReplay,
  type Replay,
  replayRules,
} from '@shardwright/monitor'
import { CliError } from '../errors/cli-error.ts'
import { renderTable } from '../output/table.ts'
import type { Command } from '../run/command.ts'

export interface ReplayCommandOptions {
  readonly file: string
  readonly rules: string
  readonly size: readonly string[]
  readonly plot?: string
  readonly metric?: string
  readonly target?: string
}

/** What scaling rules would have done over recorded metrics; reads no configuration and asks no server. */
export const scalingReplay: Command<ReplayCommandOptions> = async (_, options) => {
  const given = sizesOf(options.size)
  const rules = parseScalingRules(parseJson(await read(options.rules), options.rules))
  const strange = Object.keys(given).find((target) => !rules.some((rule) => rule.target === target))
  if (strange !== undefined) {
    const targets = [...new Set(rules.map(({ target }) => target))].join(', ')
    const hint = rules.length === 0 ? `There is no rule in ${options.rules}.` : `The rules have: ${targets}.`
    throw usage(`No rule has the target '${strange}' of --size.`, hint)
  }
  const points = parseHistoryPoints(parseLines(await read(options.file), options.file))
  const replay = replayRules(rules, points, given)
  const { actions, steps } = replay
  if (options.plot !== undefined) await plot(replay, options, options.plot)
  const sizes = steps.at(-1)?.sizes ?? {}
  const absentMetrics = absentOf(rules, points)
  return {
    data: { points: points.length, actions, sizes, absentMetrics },
    render: (width) =>
      [
        actions.length === 0 ? `${points.length} points: no rule fires.` : renderActions(actions, width),
        ...absentMetrics.map((metric) => `No point has ${metric}.`),
      ].join('\n'),
  }
}

/** Metrics of rules that no point has: these rules could not fire. */
function absentOf(rules: Replay['rules'], points: readonly HistoryPoint[]): readonly string[] {
  const known = new Set(points.flatMap(({ values }) => Object.keys(values)))
  return [...new Set(rules.map(({ metric }) => metric).filter((metric) => !known.has(metric)))]
}

function renderActions(actions: Replay['actions'], width: number): string {
  return renderTable(
    actions,
    [
      { title: 'when', of: ({ atMs }) => new Date(atMs).toISOString() },
      { title: 'rule', of: ({ rule }) => rule, shrinks: true },
      { title: 'target', of: ({ target }) => target },
      { title: 'size', of: ({ from, to }) => `${from} > ${to}` },
      { title: 'why', of: ({ reason }) => reason, shrinks: true },
    ],
    width,
  )
}

async function plot(replay: Replay, options: ReplayCommandOptions, file: string): Promise<void> {
  const [first] = replay.rules
  const metric = options.metric ?? first?.metric
  const target = options.target ?? first?.target
  if (metric === undefined || target === undefined) throw usage('There is no rule to plot.', 'Add rules to the file.')
  await writeFile(path.resolve(file), plotReplay(replay, { metric, target }))
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(path.resolve(file), 'utf8')
  } catch (cause) {
    throw usage(`${file} cannot be read.`, 'Name a file that is there.', cause)
  }
}

/** One JSON value, or lines of one each, as `monitor --record` writes them. */
function parseLines(text: string, file: string): unknown {
  if (text.trimStart().startsWith('[')) return parseJson(text, file)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, index) => parseJson(line, `${file}, line ${index + 1}`))
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw usage(`${where} is no JSON.`, 'Points: [{ "atMs": 1767225600000, "values": { "cpu_ratio": 0.4 } }]', cause)
  }
}

function sizesOf(given: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, target, size] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? []
      if (target === undefined)
        throw usage(`--size takes target=number, not ${JSON.stringify(text)}.`, 'e.g. --size replicas=1')
      return [target, Number(size)]
    }),
  )
}

function usage(message: string, hint: string, cause?: unknown): CliError {
  return new CliError({ code: 'USAGE', message, hint, cause })
}
