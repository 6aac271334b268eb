import { readFile, writeFile } from 'node:fs/promises'
import { clauses, possiblePairs } from '../generate/clauses.ts'
import { goal, pairsOf } from '../generate/steering.ts'
import type { Outcome } from './run-case.ts'

/** From so many cases on, each pair of clauses must have been seen often enough. */
export const longRun = 20_000
const leastSpread = 0.6
const mostRefused = 0.1
/** Citus refuses what its planner cannot spread. */
const mostRefusedByCitus = 0.35

/** What a run has seen: outcomes, and how often each clause and each pair of clauses was answered. */
export class Counts {
  equal = 0
  bothFailed = 0
  failed = 0
  merged = 0
  spread = 0
  empty = 0
  readonly refused = new Map<string, number>()
  readonly states = new Map<string, number>()
  readonly clauses = new Map<string, number>()
  readonly pairs = new Map<string, number>()
  /** Doors, plugins, kinds of key, hashes, numbers of shards. */
  readonly settings = new Map<string, number>()

  add(outcome: Outcome, tags: ReadonlySet<string>, settings: readonly string[]): void {
    switch (outcome.kind) {
      case 'equal':
        this.equal += 1
        if (outcome.merged) this.merged += 1
        if (outcome.merged && outcome.spread) this.spread += 1
        if (outcome.rows === 0) this.empty += 1
        for (const tag of tags) increase(this.clauses, tag)
        for (const pair of pairsOf(tags)) increase(this.pairs, pair)
        for (const setting of settings) increase(this.settings, setting)
        break
      case 'both failed':
        this.bothFailed += 1
        increase(this.states, outcome.state ?? 'unknown')
        break
      case 'refused':
        increase(this.refused, outcome.code)
        break
      case 'failed':
        this.failed += 1
    }
  }

  get refusals(): number {
    return [...this.refused.values()].reduce((sum, count) => sum + count, 0)
  }

  get cases(): number {
    return this.equal + this.bothFailed + this.refusals + this.failed
  }

  /** Pairs that statements can have and that were seen too seldom, the rarest first. */
  behind(): string[] {
    const count = (pair: string): number => this.pairs.get(pair) ?? 0
    return possiblePairs.filter((pair) => count(pair) < goal).sort((a, b) => count(a) - count(b))
  }

  /** What the run has not shown, and must. */
  shortfalls(): string[] {
    const missing: string[] = []
    if (this.merged >= 100 && this.spread / this.merged < leastSpread)
      missing.push(`rows from two or more shards in ${percent(this.spread, this.merged)} of the merged cases only`)
    const most = this.settings.has('citus') ? mostRefusedByCitus : mostRefused
    if (this.cases >= 100 && this.refusals / this.cases > most)
      missing.push(`${percent(this.refusals, this.cases)} refused`)
    const behind = this.behind()
    if (this.cases >= longRun && behind.length > 0)
      missing.push(`${behind.length} pairs of clauses fewer than ${goal} times: ${behind.join(', ')}`)
    return missing
  }

  /** The report: the last line says how many passed. */
  lines(): string[] {
    const behind = this.behind()
    const shown = behind.slice(0, 12).map((pair) => `${pair} ${this.pairs.get(pair) ?? 0}`)
    const shortfalls = this.shortfalls()
    const failed = this.failed + shortfalls.length
    return [
      `clauses: ${list(new Map(clauses.map((clause) => [clause, this.clauses.get(clause) ?? 0])))}`,
      `settings: ${list(this.settings)}`,
      `pairs of clauses: ${possiblePairs.length} are possible, ${possiblePairs.length - behind.length} were answered at least ${goal} times`,
      ...(behind.length > 0 ? [`rarest pairs: ${shown.join(', ')}`] : []),
      `merged from several shards: ${this.merged} of ${this.equal} equal cases; rows from two or more shards in ${this.spread} (${percent(this.spread, this.merged)})`,
      `empty answers: ${this.empty} (${percent(this.empty, this.equal)})`,
      `failed on both with the same SQLSTATE: ${this.bothFailed}: ${list(this.states)}`,
      `equal: ${this.equal}`,
      `refused: ${this.refusals} (${percent(this.refusals, this.cases)}): ${list(this.refused)}`,
      ...shortfalls.map((text) => `FAILED: ${text}`),
      `${this.cases - this.failed} passed, ${failed} failed`,
    ]
  }

  /** Goes on from what earlier runs have written. */
  static async load(path: string): Promise<Counts> {
    const counts = new Counts()
    const text = await readFile(path, 'utf8').catch(() => '{}')
    const kept = JSON.parse(text) as Record<string, unknown>
    for (const [name, value] of Object.entries(kept)) {
      const own = counts[name as keyof Counts] as unknown
      if (own instanceof Map) for (const [key, count] of value as [string, number][]) own.set(key, count)
      else Object.assign(counts, { [name]: value })
    }
    return counts
  }

  async save(path: string): Promise<void> {
    await writeFile(
      path,
      JSON.stringify({ ...this }, (_, value) => (value instanceof Map ? [...value] : value)),
    )
  }
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}
