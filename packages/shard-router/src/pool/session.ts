import type { Client } from 'pg'
import type { NameGeneration } from './name-generation.ts'
import type { ServerAddress } from './server-address.ts'
import { serverFacts, watchSettings } from './server-facts.ts'
import type { LeftBehind } from './session-effect.ts'
import { SessionStatements } from './session-statements.ts'

/** One client with what its lane has to know about it. */
export class Session {
  readonly client: Client
  readonly address: ServerAddress
  readonly openedAt: number
  /** Of its longest life: some spread, so that the sessions of all processes do not end at once. */
  readonly lifeShare = 0.9 + Math.random() * 0.1
  /** `statement_timeout` of the session as last set here; undefined when it is not known any more. */
  statementTimeoutMs: number | undefined = 0
  readonly statements: SessionStatements
  /** A BEGIN that waits for the statement behind it. */
  pendingBegin: string | undefined
  idleSince = 0
  /** Settles when the statement that was sent last is over, also when its caller has long gone. */
  running: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined
  /** What statements have left in it, which no other caller may see. */
  left: LeftBehind | undefined
  /** True when its holder has sent a statement that may move sequences. */
  wrote = false
  /** True while a setting is not what it was at first, though no statement's text says so: a function has set it. */
  altered = false
  #dead = false

  constructor(client: Client, address: ServerAddress, openedAt: number, names: NameGeneration) {
    this.statements = new SessionStatements(names)
    this.client = client
    this.address = address
    this.openedAt = openedAt
    const die = () => {
      this.#dead = true
    }
    client.on('error', die)
    client.on('end', die)
    if (address.pooler === 'pgbouncer-transaction') return
    watchSettings(client, (differs) => {
      this.altered = differs
    })
  }

  /** True when the connection is gone. */
  get dead(): boolean {
    return this.#dead
  }

  /** True while the server owes an answer. */
  get working(): boolean {
    return (this.client as unknown as { readonly readyForQuery: boolean }).readyForQuery === false
  }

  get receivedBytes(): number {
    return (this.client.connection as unknown as { readonly stream: { readonly bytesRead: number } }).stream.bytesRead
  }

  /** Settles when nothing runs here, and nothing is on its way to the server that would stop what runs next. */
  get free(): Promise<unknown> {
    return this.#stopping === undefined ? this.running : Promise.allSettled([this.running, this.#stopping])
  }

  /** What runs is being stopped until `stopped` settles. */
  stopping(stopped: Promise<unknown>): void {
    const before = this.#stopping
    const all = Promise.allSettled([before, stopped]).then(() => {
      if (this.#stopping === all) this.#stopping = undefined
    })
    this.#stopping = all
  }

  markDead(): void {
    this.#dead = true
  }

  /** Notes what a statement leaves. */
  leave(left: LeftBehind): void {
    if (this.left !== 'lasting') this.left = left
  }

  /** True on a standby; follows a promotion. */
  get standby(): boolean {
    return serverFacts(this.client).standby === true
  }

  get processId(): number {
    return (this.client as unknown as { processID: number | null }).processID ?? 0
  }

  get secretKey(): number {
    return (this.client as unknown as { secretKey: number | null }).secretKey ?? 0
  }
}
