import { parentPort, workerData } from 'node:worker_threads'
import { Writers } from './writers.ts'

// The writers in a thread of their own: what the maintenance does in its own event loop is not part of a write's
// latency. Each message starts a new window; the latencies of the last one are sent back.
const { url, writers, pauseMs } = workerData as { url: string; writers: number; pauseMs: number }
const load = new Writers(url, writers, pauseMs)

parentPort?.on('message', async (message: 'window' | 'stop') => {
  if (message === 'window') return parentPort?.postMessage(load.take())
  await load.stop()
  parentPort?.close()
})
