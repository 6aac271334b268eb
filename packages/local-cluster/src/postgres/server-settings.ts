/** Settings of postgresql.conf, as PostgreSQL writes them. */
export type ServerSettings = Readonly<Record<string, string | number | boolean>>

/** What the product needs, light enough for a dozen servers on a small machine. Data need not survive the machine. */
export const defaultServerSettings: ServerSettings = Object.freeze({
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '32MB',
  // Inside the data directory, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  // No worker processes for I/O: three fewer per server.
  io_method: 'sync',
  fsync: false,
  wal_level: 'logical',
  max_wal_senders: 12,
  max_replication_slots: 12,
  max_slot_wal_keep_size: '2GB',
  max_wal_size: '512MB',
  hot_standby_feedback: true,
  // A replica looks for its primary again at once, not after five seconds.
  wal_retrieve_retry_interval: '200ms',
  max_prepared_transactions: 64,
  autovacuum: true,
  // A real password exchange at a fraction of its usual price.
  scram_iterations: 1,
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %d ',
})

/** Lines for postgresql.conf; a later line wins. */
export function renderSettings(settings: ServerSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${renderValue(value)}'\n`)
    .join('')
}

/** The same as parameters of the program `postgres`. */
export function settingParameters(settings: ServerSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [
    '-c',
    `${name}=${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`,
  ])
}

function renderValue(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return String(value).replaceAll("'", "''")
}
