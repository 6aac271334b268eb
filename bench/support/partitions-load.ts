import { parentPort, workerData } from 'node:worker_threads'
import { Client } from 'pg'

// The load of the partitions bench, in a thread of its own: what the maintenance does in its own event loop is not
// part of a write's latency. Each message starts a new window; the latencies of the last one are sent back.
const { url, writers, pauseMs } = workerData as { url: string; writers: number; pauseMs: number }
const insert = {
  name: 'insert',
  text: 'insert into public.transactions (created_at, stand_id, amount) values (now(), $1, $2)',
}
let latencies: number[] = []
let running = true

async function write(): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  while (running) {
    const started = performance.now()
    await client.query({ ...insert, values: [latencies.length % 500, '4.50'] })
    latencies.push(performance.now() - started)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  await client.end()
}

const writing = Promise.all(Array.from({ length: writers }, write))
parentPort?.on('message', async (message: 'window' | 'stop') => {
  if (message === 'stop') {
    running = false
    await writing
    parentPort?.close()
    return
  }
  parentPort?.postMessage(latencies)
  latencies = []
})
