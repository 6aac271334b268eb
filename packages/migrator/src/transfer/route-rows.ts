/** Takes rows of COPY's text format; resolves when it can take more. */
export interface RowSink {
  write(rows: Buffer): Promise<void>
}

/**
 * Hands every row on to the sink that `indexOf` names for its first column, in the order they come; a sink that is undefined
 * has its rows already. Holds one chunk and one row at most.
 */
export async function routeRows(
  chunks: AsyncIterable<Buffer>,
  sinks: readonly (RowSink | undefined)[],
  indexOf: (key: string) => number,
): Promise<void> {
  let begun: Buffer[] = []
  for await (const chunk of chunks) {
    if (!chunk.includes(newline)) {
      begun.push(chunk)
      continue
    }
    const parts = sinks.map((): Buffer[] => [])
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const row = [...begun, chunk.subarray(start, end + 1)]
      parts[indexOf(firstColumn(row))]?.push(...row)
      begun = []
      start = end + 1
    }
    begun = start === chunk.length ? [] : [chunk.subarray(start)]
    for (const [index, rows] of parts.entries()) {
      if (rows.length > 0) await sinks[index]?.write(Buffer.concat(rows))
    }
  }
}

/** All rows to all sinks. */
export async function repeatRows(chunks: AsyncIterable<Buffer>, sinks: readonly RowSink[]): Promise<void> {
  for await (const chunk of chunks) await Promise.all(sinks.map((sink) => sink.write(chunk)))
}

const newline = 0x0a
const tab = 0x09

function firstColumn(row: readonly Buffer[]): string {
  const whole = row.length === 1 ? row[0]! : Buffer.concat(row)
  const end = whole.indexOf(tab)
  return unescapeText(whole.subarray(0, end === -1 ? whole.length - 1 : end).toString('utf8'))
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** COPY writes control characters and backslashes with a backslash before them. */
function unescapeText(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/gs, (_, character: string) => escapes[character] ?? character) : text
}
