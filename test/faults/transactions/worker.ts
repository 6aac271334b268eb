import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { ReadContext, runInReadContext, uuidV7 } from '@shardwright/core'
import { createShardRouter, type ProtocolPoint, type ShardRouter, TransactionError } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { randomOf } from '../cache/random.ts'
import type { Ambush, Fault, FromWorker, ToWorker, WorkerPlan } from './messages.ts'
import { bankSchema, valuesInAll } from './shapes.ts'

const sockets = new Set<Socket>()
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket }
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
})

let plan: WorkerPlan
let armed: Ambush | undefined
/** What the transfer of now does besides. */
let keepsLookups = false
/** The transaction that meets the fault: its participants take turns, so that "between" is a place. */
let victim: string | undefined
let goOn = Promise.withResolvers<void>()
let firstIsThrough = Promise.withResolvers<void>()
/** What a worker that does not answer was at. */
let doing = 'nothing'
let paused = false
let ended = false

function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()))
}

process.on('message', (message: ToWorker) => {
  if (message.kind === 'plan') void work(message.plan)
  else if (message.kind === 'arm') armed = message
  else if (message.kind === 'go on') goOn.resolve()
  else if (message.kind === 'pause') paused = true
  else if (message.kind === 'where')
    void tell({ kind: 'here', doing: `${doing}; sockets ${[...sockets].map((socket) => socket.remotePort)}` })
  else if (message.kind === 'resume') paused = false
  else ended = true
})
process.on('disconnect', () => process.exit(0))

async function onStep(at: ProtocolPoint): Promise<void> {
  doing += ` > ${at.step} ${at.index} on ${at.shard}`
  if (armed === undefined || armed.keepsLookups !== keepsLookups || (victim !== undefined && victim !== at.txid)) return
  victim = at.txid
  const { point, fault } = armed
  await takeTurns(at)
  if (armed !== undefined && at.step === point.step && at.index === point.index) {
    armed = undefined
    await strike(at, fault)
  }
  if (at.step.startsWith('after') && at.index === 0) firstIsThrough.resolve()
}

/** The second participant waits for the first; not for ever, as the first may have failed. */
async function takeTurns(at: ProtocolPoint): Promise<void> {
  if (at.step.startsWith('before') && at.index === 0) firstIsThrough = Promise.withResolvers<void>()
  if (at.step.startsWith('before') && at.index === 1) await Promise.race([firstIsThrough.promise, pause(1_500)])
}

async function strike(at: ProtocolPoint, fault: Fault): Promise<void> {
  goOn = Promise.withResolvers<void>()
  await tell({ kind: 'hit', point: { step: at.step, index: at.index }, shard: at.shard })
  if (fault === 'process') process.kill(process.pid, 'SIGKILL')
  if (fault === 'socket') {
    for (const socket of sockets) if (socket.remotePort === plan.ports[at.shard]) socket.destroy()
  }
  await goOn.promise
}

async function work(given: WorkerPlan): Promise<void> {
  plan = given
  const router = createShardRouter({
    schema: bankSchema,
    topology: plan.topology,
    atomic: { settleTimeoutMs: 4_000, decisionTimeoutMs: 6_000, lockTimeoutMs: 3_000, onStep },
  })
  await router.ready()
  await tell({ kind: 'ready' })
  const random = randomOf(plan.seed)
  while (!ended) {
    if (paused) await waitPaused()
    await transfer(router, random)
  }
  await router.close()
  process.disconnect?.()
}

async function waitPaused(): Promise<void> {
  await tell({ kind: 'paused' })
  while (paused && !ended) await pause(10)
}

async function transfer(router: ShardRouter<typeof bankSchema>, random: () => number): Promise<void> {
  const id = uuidV7()
  const moves = chooseMoves(random)
  keepsLookups = armed?.keepsLookups ?? random() < 0.5
  const values = keepsLookups ? [drawn('name', random), drawn('number', random)] : undefined
  const posts = !keepsLookups && (armed !== undefined || random() < 0.5)
  // Half of them read commit tokens as well.
  const watched = random() < 0.5 ? new ReadContext() : undefined
  doing = id
  await tell({ kind: 'begun', id })
  try {
    const work = () => (posts ? post(router, id, moves) : move(router, id, moves, values as Values | undefined))
    await (watched === undefined ? work() : runInReadContext(watched, work))
    doing += ' > acknowledged'
    await tell({ kind: 'acknowledged', id })
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? error)
    const doubt = error instanceof TransactionError && error.code === 'TRANSACTION_IN_DOUBT'
    await tell({ kind: doubt ? 'in doubt' : 'refused', id, code })
    await pause(20)
  }
  victim = undefined
}

type Values = readonly [name: string, number: string]

async function move(
  router: ShardRouter<typeof bankSchema>,
  id: string,
  moves: readonly Move[],
  values: Values | undefined,
): Promise<void> {
  await router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
    for (const { account, amount } of moves) {
      doing += ` > account ${account}`
      await trx
        .updateTable('account')
        .set({ balance: sql`balance + ${amount}` })
        .where('id', '=', account)
        .execute()
      await trx.insertInto('transfer').values({ account, id, amount }).execute()
    }
    if (values) await rename(trx, id, moves[0]!.account, values)
  })
}

async function post(router: ShardRouter<typeof bankSchema>, id: string, moves: readonly Move[]): Promise<void> {
  await router.db
    .insertInto('posting')
    .values(moves.map((each) => ({ ...each, id })))
    .execute()
}

/** An entry that changes, one that goes and one that comes; a card has the id of its transfer. */
async function rename(
  trx: ShardRouter<typeof bankSchema>['db'],
  id: string,
  account: number,
  [name, number]: Values,
): Promise<void> {
  await trx.updateTable('account').set({ name }).where('id', '=', account).execute()
  await trx.deleteFrom('card').where('account', '=', account).execute()
  await trx.insertInto('card').values({ account, id, number }).execute()
}

function drawn(kind: string, random: () => number): string {
  return `${kind} ${Math.floor(random() * valuesInAll)}`
}

interface Move {
  readonly account: number
  readonly amount: number
}

/** Two accounts pay a third one; in the order of their numbers, so that transfers queue and never wait in a circle. */
function chooseMoves(random: () => number): Move[] {
  const shards = plan.accounts.map((_, shard) => shard)
  const chosen = [0, 1, 2].map(() => {
    const [shard] = shards.splice(Math.floor(random() * shards.length), 1)
    const accounts = plan.accounts[shard!]!
    return accounts[Math.floor(random() * accounts.length)]!
  })
  const [first, second] = [1 + Math.floor(random() * 50), 1 + Math.floor(random() * 50)]
  const amounts = [-first, -second, first + second]
  return chosen.map((account, n) => ({ account, amount: amounts[n]! })).sort((a, b) => a.account - b.account)
}
