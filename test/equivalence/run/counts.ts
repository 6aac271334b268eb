import type { Outcome } from './run-case.ts'

/** What a run has seen: outcomes, and how often each clause and each pair of clauses occurred. */
export class Counts {
  equal = 0
  bothFailed = 0
  otherState = 0
  failed = 0
  merged = 0
  spread = 0
  empty = 0
  readonly refused = new Map<string, number>()
  readonly states = new Map<string, number>()
  readonly clauses = new Map<string, number>()
  readonly pairs = new Map<string, number>()

  add(outcome: Outcome, tags: ReadonlySet<string>): void {
    const sorted = [...tags].sort()
    for (const [index, tag] of sorted.entries()) {
      increase(this.clauses, tag)
      for (const other of sorted.slice(index + 1)) increase(this.pairs, `${tag} + ${other}`)
    }
    switch (outcome.kind) {
      case 'equal':
        this.equal += 1
        if (outcome.merged) this.merged += 1
        if (outcome.merged && outcome.spread) this.spread += 1
        if (outcome.rows === 0) this.empty += 1
        break
      case 'both failed':
        this.bothFailed += 1
        if (!outcome.sameState) this.otherState += 1
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

  /** The report: the last line says how many passed. */
  lines(): string[] {
    const rare = [...this.pairs.values()].filter((count) => count < 50).length
    const percent = (part: number, whole: number): string => `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`
    return [
      `clauses: ${list(this.clauses)}`,
      `pairs of clauses: ${this.pairs.size} seen, ${this.pairs.size - rare} of them at least 50 times`,
      `merged from several shards: ${this.merged} of ${this.equal} equal cases; rows from two or more shards in ${this.spread} (${percent(this.spread, this.merged)})`,
      `empty answers: ${this.empty} (${percent(this.empty, this.equal)})`,
      `failed on both: ${this.bothFailed} (another SQLSTATE in ${this.otherState}): ${list(this.states)}`,
      `equal: ${this.equal}`,
      `refused: ${this.refusals} (${percent(this.refusals, this.cases)}): ${list(this.refused)}`,
      `${this.cases - this.failed} passed, ${this.failed} failed`,
    ]
  }
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
