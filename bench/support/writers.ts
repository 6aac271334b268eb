import { Client } from 'pg'

const insert = {
  name: 'insert',
  text: 'insert into public.transactions (created_at, stand_id, amount) values (now(), $1, $2)',
}

/** The load of the partitions bench: so many clients that each insert one row after the other. */
export class Writers {
  #latencies: number[] = []
  #running = true
  readonly #writing: Promise<unknown>

  constructor(url: string, writers: number, pauseMs: number) {
    this.#writing = Promise.all(Array.from({ length: writers }, () => this.#write(url, pauseMs)))
  }

  /** The latencies since the last call, milliseconds. */
  take(): number[] {
    const taken = this.#latencies
    this.#latencies = []
    return taken
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#writing
  }

  async #write(url: string, pauseMs: number): Promise<void> {
    const client = new Client({ connectionString: url })
    await client.connect()
    while (this.#running) {
      const started = performance.now()
      await client.query({ ...insert, values: [this.#latencies.length % 500, '4.50'] })
      this.#latencies.push(performance.now() - started)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    await client.end()
  }
}
