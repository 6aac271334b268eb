/** Session settings that every connection has alike, so that text from one shard means the same on another. */
export type SessionSettings = {
  readonly DateStyle: string
  readonly IntervalStyle: string
  readonly TimeZone: string
  readonly extra_float_digits: string
  readonly bytea_output: string
}

/** The pinned settings; only the time zone is the caller's choice. */
export function sessionSettings(timeZone: string): SessionSettings {
  return Object.freeze({
    // How dates are written. In which order day and month are read stays the server's own, as for any other client.
    DateStyle: 'ISO',
    IntervalStyle: 'postgres',
    TimeZone: timeZone,
    extra_float_digits: '1',
    bytea_output: 'hex',
  })
}

/** As libpq's `options`: `-c name=value`, spaces and backslashes escaped. */
export function startupOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ')
}

/** One SELECT that sets all of them for the session, for where startup options are refused. */
export function settingStatement(settings: Readonly<Record<string, string>>): { text: string; values: string[] } {
  const entries = Object.entries(settings)
  const calls = entries.map((_, index) => `pg_catalog.set_config($${index * 2 + 1}, $${index * 2 + 2}, false)`)
  return { text: `select ${calls.join(', ')}`, values: entries.flat() }
}

/** One SELECT that gives the session time limits in milliseconds, where it has none or a longer one. */
export function limitStatement(limits: Readonly<Record<string, number>>): { text: string; values: string[] } {
  const entries = Object.entries(limits).map(([name, limitMs]) => [name, String(limitMs)])
  const calls = entries.map((_, index) => {
    const [name, limit] = [`$${index * 2 + 1}::text`, `$${index * 2 + 2}::bigint`]
    const now = `(select setting::bigint from pg_catalog.pg_settings s where s.name = ${name})`
    return `pg_catalog.set_config(${name}, (case when ${now} between 1 and ${limit} then ${now} else ${limit} end)::text, false)`
  })
  return { text: `select ${calls.join(', ')}`, values: entries.flat() }
}
