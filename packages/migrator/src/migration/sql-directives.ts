import { MigrationError } from '../errors/migration-error.ts'

export interface SqlSections {
  readonly up: string
  readonly down: string | undefined
  readonly transaction: boolean
  readonly lockTimeoutMs: number | undefined
  readonly statementTimeoutMs: number | undefined
  readonly allow: readonly string[]
}

// However it is indented or capitalised: a `down` that passed for a comment would run as part of `up`.
const directiveLine = /^\s*--\s*shardwright\s*:\s*(.*?)\s*$/i

/**
 * Reads the comment lines that steer a SQL migration:
 * `-- shardwright: up`, `-- shardwright: down`, `-- shardwright: transaction=false lock-timeout=5s allow=rule,rule`.
 * Without an `up` line the whole file is `up`.
 */
export function readSqlDirectives(name: string, source: string): SqlSections {
  const sections: Record<'up' | 'down', string[]> = { up: [], down: [] }
  const settings = new Map<string, string>()
  let section: 'up' | 'down' = 'up'
  let hasDown = false
  for (const line of source.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const words = directiveLine.exec(line)?.[1]?.split(/\s+/)
    for (const word of words ?? []) {
      if (word === 'up' || word === 'down') section = word
      else readSetting(name, word, settings)
      hasDown ||= word === 'down'
    }
    // An empty line stands for what belongs to the other part: the parser then counts lines as the file does.
    for (const part of ['up', 'down'] as const) sections[part].push(!words && part === section ? line : '')
  }
  return {
    up: sections.up.join('\n'),
    down: hasDown ? sections.down.join('\n') : undefined,
    transaction: readBoolean(name, settings.get('transaction')),
    lockTimeoutMs: readDuration(name, settings.get('lock-timeout')),
    statementTimeoutMs: readDuration(name, settings.get('statement-timeout')),
    allow: settings.get('allow')?.split(',').filter(Boolean) ?? [],
  }
}

const known = new Set(['transaction', 'lock-timeout', 'statement-timeout', 'allow'])

function readSetting(name: string, word: string, settings: Map<string, string>): void {
  const [key = '', value] = word.split('=')
  if (!known.has(key) || value === undefined || settings.has(key)) throw badDirective(name, word)
  settings.set(key, value)
}

function readBoolean(name: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true') return true
  if (value === 'false') return false
  throw badDirective(name, `transaction=${value}`)
}

function readDuration(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const match = /^(\d{1,9})(ms|s|min)$/.exec(value)
  if (!match) throw badDirective(name, value)
  return Number(match[1]) * { ms: 1, s: 1000, min: 60_000 }[match[2] as 'ms' | 's' | 'min']
}

function badDirective(name: string, word: string): MigrationError {
  return new MigrationError({
    code: 'INVALID_MIGRATION',
    message: `The migration ${name} has a directive that is not understood: ${JSON.stringify(word)}.`,
    hint: 'Known: up, down, transaction=false, lock-timeout=5s, statement-timeout=10min, allow=<rule>,<rule>; each once.',
    details: { migration: name },
  })
}
