import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import type { Bank, Ledger } from './bank.ts'
import type { Ambush, FromWorker, ToWorker } from './messages.ts'

/** A transfer may wait for recovery, for a server that starts, and for its own time limits. */
const pauseMs = 60_000

interface Member {
  readonly process: ChildProcess
  readonly exited: Promise<void>
  hit: PromiseWithResolvers<{ readonly shard: string }>
  paused: PromiseWithResolvers<void>
}

/** The processes that transfer money. */
export class Crew implements AsyncDisposable {
  readonly #bank: Bank
  readonly #ledger: Ledger
  readonly #ports: Readonly<Record<string, number>>
  readonly #members: Member[] = []
  #seed: number

  constructor(bank: Bank, ledger: Ledger, ports: Readonly<Record<string, number>>, seed: number) {
    this.#bank = bank
    this.#ledger = ledger
    this.#ports = ports
    this.#seed = seed
  }

  async hire(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#hireOne()))
  }

  async #hireOne(): Promise<void> {
    const child = fork(new URL('./worker.ts', import.meta.url), {
      execArgv: ['--conditions=shardwright-source', '--no-warnings'],
      serialization: 'advanced',
    })
    const ready = Promise.withResolvers<void>()
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.once('exit', (code) => ready.reject(new Error(`a worker ended (${code}) before it was ready`)))
    const member: Member = { process: child, exited, hit: Promise.withResolvers(), paused: Promise.withResolvers() }
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') ready.resolve()
      else this.#hear(member, message)
    })
    const plan = {
      topology: this.#bank.topology,
      ports: this.#ports,
      accounts: this.#bank.accounts,
      seed: this.#seed++,
    }
    say(member, { kind: 'plan', plan })
    this.#members.push(member)
    await ready.promise
  }

  #hear(member: Member, message: FromWorker): void {
    if (message.kind === 'acknowledged') this.#ledger.acknowledged.add(message.id)
    else if (message.kind === 'refused') this.#ledger.refused.set(message.id, message.code)
    else if (message.kind === 'in doubt') this.#ledger.inDoubt.set(message.id, message.code)
    else if (message.kind === 'hit') member.hit.resolve(message)
    else if (message.kind === 'paused') member.paused.resolve()
    else if (message.kind === 'here') console.error(`worker ${member.process.pid} is at: ${message.doing}`)
  }

  /** Has one process meet a fault at a point, `strike`s the server where that is the fault, and goes on. */
  async meet(ambush: Ambush, strike: (shard: string) => Promise<void>): Promise<void> {
    const { point, fault } = ambush
    const member = this.#members[0]!
    member.hit = Promise.withResolvers()
    say(member, { kind: 'arm', ...ambush })
    const { shard } = await within(60_000, member.hit.promise, `nobody came to '${point.step}' ${point.index}`)
    if (fault === 'process') {
      await member.exited
      this.#members.splice(this.#members.indexOf(member), 1)
      return
    }
    if (fault === 'server') await strike(shard)
    say(member, { kind: 'go on' })
  }

  async pause(): Promise<void> {
    for (const member of this.#members) {
      member.paused = Promise.withResolvers()
      say(member, { kind: 'pause' })
    }
    try {
      await Promise.all(this.#members.map(({ paused }) => within(pauseMs, paused.promise, 'a worker does not pause')))
    } catch (error) {
      for (const member of this.#members) say(member, { kind: 'where' })
      await setTimeout(1_000)
      throw error
    }
  }

  resume(): void {
    for (const member of this.#members) say(member, { kind: 'resume' })
  }

  get size(): number {
    return this.#members.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) member.process.kill('SIGKILL')
    await Promise.all(this.#members.map(({ exited }) => exited))
  }
}

function say(member: Member, message: ToWorker): void {
  if (member.process.connected) member.process.send(message)
}

async function within<T>(ms: number, promise: Promise<T>, otherwise: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = globalThis.setTimeout(() => reject(new Error(otherwise)), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
