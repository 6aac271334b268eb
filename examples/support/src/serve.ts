import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { HttpError } from './http-error.ts'
import type { Route } from './route.ts'

export interface RouteAnswer {
  readonly status: number
  readonly value: unknown
  readonly headers?: OutgoingHttpHeaders
}

/** What runs around every handler, e.g. to give it a context that comes with the request and leaves with the answer. */
export type Around = (request: IncomingMessage, handle: () => Promise<RouteAnswer>) => Promise<RouteAnswer>

export interface ServeOptions<App> {
  readonly app: App
  readonly routes: readonly Route<App>[]
  readonly around?: Around
  /** Default: a free one. */
  readonly port?: number
}

export interface Served extends AsyncDisposable {
  readonly url: string
}

/** Serves routes as JSON on this machine. */
export async function serve<App>(options: ServeOptions<App>): Promise<Served> {
  const server = createServer((request, response) => void answer(options, request, response))
  const { port = 0 } = options
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer<App>(
  options: ServeOptions<App>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { around = (_, handle) => handle() } = options
  try {
    send(response, await around(request, () => handle(options, request)))
  } catch (error) {
    if (error instanceof HttpError) {
      send(response, { status: error.status, value: { error: error.message } })
      return
    }
    console.error(error)
    send(response, { status: 500, value: { error: 'The request could not be served.' } })
  }
}

async function handle<App>({ app, routes }: ServeOptions<App>, request: IncomingMessage): Promise<RouteAnswer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const matching = routes.filter((route) => route.path.test(pathname))
  if (matching.length === 0) throw new HttpError(404, `There is no ${pathname}.`)
  const route = matching.find(({ method }) => method === request.method)
  if (!route) throw new HttpError(405, `${pathname} does not take ${request.method}.`)
  const groups = route.path.exec(pathname)?.groups ?? {}
  const path = Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decode(text)]))
  const body = request.method === 'GET' ? undefined : await readBody(request)
  return { status: route.status ?? 200, value: await route.handle(app, { path, query: searchParams, body }) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new HttpError(400, `The path has a broken percent escape: ${text}`)
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-length'] === '0' || !request.headers['content-type']) return undefined
  try {
    return await json(request)
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function send(response: ServerResponse, { status, value, headers }: RouteAnswer): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(value ?? null))
}
