// What locate() costs per call. Run: node --conditions=shardwright-source packages/core/test/bench/locate-cost.ts
import { defineTopology, IdGenerator, idLayout, type KeyType, type KeyValue, locate, uuidV7 } from '@shardwright/core'

const calls = 500_000
const rounds = 7
const shards = [1, 2, 3, 4].map((n) => ({ id: `s${n}`, primary: `postgres://h${n}/d` }))
const topologies = {
  postgres: defineTopology({ hash: 'postgres', shards }),
  murmur3: defineTopology({ hash: 'murmur3', shards }),
  'postgres, pins': defineTopology({
    hash: 'postgres',
    shards,
    pins: [
      { family: 'int8', key: '1', shard: 's1' },
      { family: 'uuid', key: uuidV7(), shard: 's2' },
    ],
  }),
}

const numbers = Array.from({ length: 1024 }, (_, i) => i * 7919)
const snowflakes = numbers.map((n) => String(7_000_000_000_000_000_000n + BigInt(n)))
const uuids = numbers.map(() => crypto.randomUUID())
const dates = numbers.map((n) => new Date(1.7e12 + n * 1000))

const cases: [keyof typeof topologies, KeyType, string, readonly KeyValue[]][] = [
  ['postgres', 'int8', 'number', numbers],
  ['postgres', 'int8', 'short text', numbers.map(String)],
  ['postgres', 'int8', '19-digit text', snowflakes],
  ['postgres', 'int8', '19-digit bigint', snowflakes.map(BigInt)],
  ['postgres', 'text', '13 characters', numbers.map((n) => `festival-${1000 + (n % 9000)}`)],
  ['postgres', 'text', '13 characters, accents', numbers.map((n) => `féstival-${1000 + (n % 9000)}`)],
  ['postgres', 'uuid', '36 characters', uuids],
  ['postgres', 'timestamptz', 'Date', dates],
  ['postgres, pins', 'int8', 'number', numbers],
  ['postgres, pins', 'uuid', '36 characters', uuids],
  ['murmur3', 'int8', 'number', numbers],
  ['murmur3', 'uuid', '36 characters', uuids],
]

function nanoseconds(work: (i: number) => unknown): number {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    for (let i = 0; i < calls; i++) work(i)
    times.push(((performance.now() - started) * 1e6) / calls)
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!
}

for (const [name, type, form, values] of cases) {
  const topology = topologies[name]
  const ns = nanoseconds((i) => locate(topology, { family: type, type, value: values[i & 1023]! }))
  console.log(`locate  ${name.padEnd(15)} ${type.padEnd(12)} ${form.padEnd(24)} ${ns.toFixed(0)} ns`)
}

const lease = {
  worker: 1,
  firstMs: 0,
  untilMs: Number.MAX_SAFE_INTEGER,
  lost: false,
  used() {},
  async release() {},
  async [Symbol.asyncDispose]() {},
}
const ids = new IdGenerator({ layout: idLayout({ buckets: 1024 }), lease })
console.log(
  `IdGenerator.next ${nanoseconds((i) => ids.next(i & 1023)).toFixed(0)} ns, uuidV7 ${nanoseconds(() => uuidV7()).toFixed(0)} ns`,
)
