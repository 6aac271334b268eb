import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
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
    const told = error instanceof HttpError ? error : ofValue(error)
    if (told) {
      // What is left of a body that is too large is not waited for.
      const headers = told.status === 413 ? { connection: 'close' } : {}
      send(response, { status: told.status, value: { error: told.message }, headers })
      return
    }
    console.error(error)
    send(response, { status: 500, value: { error: 'The request could not be served.' } })
  }
}

/**
 * Too long, out of range, no number, no time, a NUL character, no UTF-8; and a time for which there is no partition. Other
 * errors of their class, such as a division by zero, are the program's own.
 */
const impossibleValue = new Set(['22001', '22003', '22007', '22008', '22021', '22P02', '22P05', '23514'])

function ofValue(error: unknown): HttpError | undefined {
  const { code = '' } = error as { readonly code?: string }
  return impossibleValue.has(code) ? new HttpError(400, `A value is not possible here (${code}).`) : undefined
}

async function handle<App>({ app, routes }: ServeOptions<App>, request: IncomingMessage): Promise<RouteAnswer> {
  const { pathname, searchParams } = urlOf(request)
  const matching = routes.filter((route) => route.path.test(pathname))
  if (matching.length === 0) throw new HttpError(404, `There is no ${pathname}.`)
  const route = matching.find(({ method }) => method === request.method)
  if (!route) throw new HttpError(405, `${pathname} does not take ${request.method}.`)
  const groups = route.path.exec(pathname)?.groups ?? {}
  const path = Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decode(text)]))
  const body = request.method === 'GET' ? undefined : await readBody(request)
  return { status: route.status ?? 200, value: await route.handle(app, { path, query: searchParams, body }) }
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  try {
    return new URL(`http://localhost${url}`)
  } catch {
    throw new HttpError(400, `This is no path: ${url}`)
  }
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
  const text = await readText(request)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const mostBytes = 100_000
/** So much of a body is read before a refusal: most clients listen only when they have sent all. */
const mostDropped = 10 * mostBytes

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // The socket has to live on for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= mostBytes) chunks.push(chunk)
    if (bytes > mostDropped) break
  }
  if (bytes > mostBytes) throw new HttpError(413, `A body may have ${mostBytes} bytes at most.`)
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, { status, value, headers }: RouteAnswer): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(value ?? null))
}
