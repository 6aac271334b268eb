import type { Insertable } from 'kysely'
import type { Database, TableName } from '../schema/database.ts'
import { type Festival, makeFestivals, sharesOf } from './festivals.ts'
import type { Months } from './months.ts'
import { money, Random } from './random.ts'

export interface DataSetOptions {
  readonly transactions: number
  readonly festivals: number
  readonly seed: number
  readonly months: Months
}

/** The rows of every table, made from a seed. */
export interface DataSet {
  readonly festivals: readonly Festival[]
  readonly rows: { readonly [T in TableName]: readonly Insertable<Database[T]>[] }
}

const standNames = ['Bar', 'Grill', 'Coffee', 'Merch', 'Pizza', 'Ramen', 'Ice cream', 'Lockers']
const standKinds = ['drinks', 'food', 'drinks', 'shop', 'food', 'food', 'food', 'service']
const countries = ['DE', 'US', 'JP', 'FR', 'BR', 'NO', 'IN', 'IT', 'KR', 'CA', 'HU', 'GB']

type Rows = { -readonly [T in TableName]: Insertable<Database[T]>[] }

/** Makes the data: users visit several festivals, festivals differ in size by a factor of their number. */
export function makeDataSet(options: DataSetOptions): DataSet {
  const random = new Random(options.seed)
  const festivals = makeFestivals(options.festivals)
  const users = Math.max(20, Math.round(options.transactions / 20))
  const rows: Rows = {
    festivals: festivals.map((festival) => ({ ...festival })),
    users: Array.from({ length: users }, (_, index) => ({
      id: String(index + 1),
      name: `Visitor ${index + 1}`,
      country: random.pick(countries),
    })),
    stands: [],
    wallets: [],
    transactions: [],
    orders: [],
    tickets: [],
    sessions: [],
  }
  for (const [index, share] of sharesOf(festivals.length).entries()) {
    addFestival(rows, festivals[index] as Festival, { share, users, random, options })
  }
  addUsersRows(rows, users, random, options.months)
  return { festivals, rows }
}

interface Scale {
  readonly share: number
  readonly users: number
  readonly random: Random
  readonly options: DataSetOptions
}

function addFestival(rows: Rows, festival: Festival, { share, users, random, options }: Scale): void {
  const festival_id = festival.id
  const stands = Math.max(3, Math.round(share * 150))
  for (let id = 1; id <= stands; id++) {
    const kind = random.below(standNames.length)
    rows.stands.push({ festival_id, id, name: `${standNames[kind]} ${id}`, kind: standKinds[kind] as string })
  }
  const count = Math.max(10, Math.round(share * options.transactions))
  const wallets = Math.max(3, Math.round(count / 14))
  const first = rows.wallets.length + 1
  const owners = Array.from({ length: wallets }, () => String(random.below(users) + 1))
  owners.forEach((user_id, index) => {
    rows.wallets.push({ festival_id, id: String(first + index), user_id, balance: money(random.below(20_000)) })
    const price = money(4_900 + random.below(20_000))
    const kind = random.next() < 0.1 ? 'vip' : 'regular'
    rows.tickets.push({ user_id, id: String(first + index), festival_id, kind, price })
  })
  for (let index = 0; index < count; index++) {
    const at = random.below(wallets)
    addTransaction(rows, {
      festival_id,
      wallet_id: String(first + at),
      user_id: owners[at] as string,
      stands,
      random,
      months: options.months,
    })
  }
}

interface Visit {
  readonly festival_id: string
  readonly wallet_id: string
  readonly user_id: string
  readonly stands: number
  readonly random: Random
  readonly months: Months
}

function addTransaction(rows: Rows, { festival_id, wallet_id, user_id, stands, random, months }: Visit): void {
  const id = String(rows.transactions.length + 1)
  const created_at = new Date(months.firstMs + random.below(months.endMs - months.firstMs))
  if (random.next() < 0.15) {
    const amount = money(1_000 * (1 + random.below(10)))
    rows.transactions.push({ festival_id, id, wallet_id, user_id, stand_id: null, kind: 'top-up', amount, created_at })
    return
  }
  const stand_id = random.skewedBelow(stands) + 1
  const amount = money(150 + random.skewedBelow(6_000))
  rows.transactions.push({ festival_id, id, wallet_id, user_id, stand_id, kind: 'purchase', amount, created_at })
  if (random.next() >= 0.12) return
  const items = 1 + random.below(5)
  rows.orders.push({ festival_id, id, wallet_id, stand_id, items, total: amount, placed_at: created_at })
}

function addUsersRows(rows: Rows, users: number, random: Random, months: Months): void {
  for (let id = 1; id <= users; id++) {
    const expires_at = new Date(months.endMs - 30 * 86_400_000 + random.below(60 * 86_400_000))
    const device = random.pick(['phone', 'wristband', 'browser'])
    rows.sessions.push({ user_id: String(random.below(users) + 1), id: String(id), device, expires_at })
  }
}
