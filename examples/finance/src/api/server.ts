import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import type { Finance } from '../finance.ts'
import { budgetRoutes } from './budget-routes.ts'
import { HttpError } from './http-error.ts'
import type { Route } from './route.ts'
import { spendingRoutes } from './spending-routes.ts'
import { transactionRoutes } from './transaction-routes.ts'

const routes: readonly Route[] = [...transactionRoutes, ...budgetRoutes, ...spendingRoutes]

/** Serves the API on a free port of this machine; gives the server and its URL. */
export async function serve(finance: Finance, port = 0): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => void answer(finance, request, response))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return { server, url: `http://127.0.0.1:${address.port}` }
}

async function answer(finance: Finance, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { status, value } = await handle(finance, request)
    send(response, status, value)
  } catch (error) {
    if (error instanceof HttpError) return send(response, error.status, { error: error.message })
    console.error(error)
    send(response, 500, { error: 'The request could not be served.' })
  }
}

async function handle(finance: Finance, request: IncomingMessage): Promise<{ status: number; value: unknown }> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const matching = routes.filter((route) => route.path.test(pathname))
  if (matching.length === 0) throw new HttpError(404, `There is no ${pathname}.`)
  const route = matching.find(({ method }) => method === request.method)
  if (!route) throw new HttpError(405, `${pathname} does not take ${request.method}.`)
  const groups = route.path.exec(pathname)?.groups ?? {}
  const path = Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]))
  const body = request.method === 'GET' ? undefined : await readBody(request)
  return { status: route.status ?? 200, value: await route.handle(finance, { path, query: searchParams, body }) }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-length'] === '0' || !request.headers['content-type']) return undefined
  try {
    return await json(request)
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value ?? null))
}
