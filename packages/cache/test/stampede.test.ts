import { type ChildProcess, fork } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freshNamespace } from './caches.ts'
import { type RedisFixture, redisHere, startRedisFixture } from './redis.ts'

type Message = { readonly type: 'ready' | 'load' } | { readonly type: 'done'; readonly values: readonly string[] }

class Worker {
  readonly child: ChildProcess
  readonly ready: Promise<unknown>
  loads = 0
  #onLoad: () => void = () => undefined

  constructor(url: string, namespace: string, loadMs: number) {
    this.child = fork(new URL('./stampede-worker.ts', import.meta.url), [url, namespace, `${loadMs}`], {
      execArgv: ['--conditions=shardwright-source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.ready = this.#message('ready')
    this.child.on('message', (message: Message) => {
      if (message.type !== 'load') return
      this.loads += 1
      this.#onLoad()
    })
  }

  get loading(): Promise<this> {
    return new Promise((resolve) => {
      this.#onLoad = () => resolve(this)
    })
  }

  async ask(key: string): Promise<readonly string[]> {
    const done = this.#message('done')
    this.child.send(key)
    return ((await done) as { values: readonly string[] }).values
  }

  #message(type: Message['type']): Promise<Message> {
    return new Promise((resolve) => {
      this.child.on('message', (message: Message) => message.type === type && resolve(message))
    })
  }
}

describe.skipIf(!redisHere.available)('a cold key asked for by many processes', () => {
  let fixture: RedisFixture
  let workers: Worker[] = []
  const start = async (count: number, loadMs: number): Promise<Worker[]> => {
    const namespace = freshNamespace()
    workers = Array.from({ length: count }, () => new Worker(fixture.redis.url, namespace, loadMs))
    await Promise.all(workers.map((worker) => worker.ready))
    return workers
  }
  beforeAll(async () => {
    fixture = await startRedisFixture()
  })
  afterEach(() => {
    for (const { child } of workers.splice(0)) child.kill('SIGKILL')
  })
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]()
  })

  test('6 processes x 50 callers: one load, and all get its value', async () => {
    const six = await start(6, 300)
    const values = (await Promise.all(six.map((worker) => worker.ask('key')))).flat()
    expect(new Set(values).size).toBe(1)
    expect(six.reduce((sum, worker) => sum + worker.loads, 0)).toBe(1)
  })

  test('the process that loads dies: one other takes over', async () => {
    const three = await start(3, 4_000)
    const begun = Promise.race(three.map((worker) => worker.loading))
    const answers = three.map((worker) => worker.ask('key'))
    const loader = await begun
    loader.child.kill('SIGKILL')
    const left = three.filter((worker) => worker !== loader)
    const values = (await Promise.all(left.map((worker) => answers[three.indexOf(worker)]!))).flat()
    expect(new Set(values).size).toBe(1)
    expect(left.map((worker) => worker.loads).sort()).toEqual([0, 1])
  })
})
