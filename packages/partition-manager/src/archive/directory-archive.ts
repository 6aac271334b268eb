import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { ArchiveFunction, ArchiveSource } from '../policy/archive-target.ts'

/**
 * Writes a partition to `<directory>/<shard>.<schema>.<partition>.copy.gz` with a manifest beside it. The file is synced
 * to disk and read back before it gets its name: rows are counted and hashed again from what is on the disk. The archive of
 * another partition of that name, dropped earlier, is never written over: the later one has its oid in its name.
 * Restore with `gunzip -c file | psql -c 'copy table (columns) from stdin'`.
 */
export function directoryArchive(directory: string): ArchiveFunction {
  return async (source) => {
    await mkdir(directory, { recursive: true })
    const name = await archiveName(directory, source)
    const path = join(directory, `${name}.copy.gz`)
    const partial = `${path}.partial`
    const written = new RowMeter()
    await pipeline(Readable.from(source.rows), written, createGzip(), createWriteStream(partial), {
      signal: source.signal,
    })
    await sync(partial)
    const read = new RowMeter()
    await pipeline(createReadStream(partial), createGunzip(), read, discard(), { signal: source.signal })
    if (read.rows !== written.rows || read.digest !== written.digest) {
      throw new Error(`${partial} reads back as other bytes than were written`)
    }
    await rename(partial, path)
    await writeManifest(`${name}.json`, directory, source, read)
    await sync(directory)
    return { rows: read.rows }
  }
}

/** A former attempt at the same partition is replaced. */
async function archiveName(directory: string, source: ArchiveSource): Promise<string> {
  const name = [source.shard, source.schema, source.partition].map(fileNamePart).join('.')
  const manifest = await readFile(join(directory, `${name}.json`), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (manifest === undefined) return name
  return (JSON.parse(manifest) as { oid?: string }).oid === source.oid ? name : `${name}.${source.oid}`
}

/** Counts lines and hashes what passes. COPY's text format escapes line ends inside values: a line is a row. */
class RowMeter extends Transform {
  #rows = 0n
  readonly #hash = createHash('sha256')
  #digest: string | undefined

  get rows(): bigint {
    return this.#rows
  }

  get digest(): string | undefined {
    return this.#digest
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.#rows++
    this.#hash.update(chunk)
    done(null, chunk)
  }

  override _flush(done: () => void): void {
    this.#digest = this.#hash.digest('hex')
    done()
  }
}

function discard(): (source: AsyncIterable<Buffer>) => Promise<void> {
  return async (source) => {
    for await (const _chunk of source) {
      // Only the meter before it matters.
    }
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function writeManifest(name: string, directory: string, source: ArchiveSource, meter: RowMeter): Promise<void> {
  const { shard, schema, table, partition, oid, from, to, columns } = source
  const facts = {
    shard,
    schema,
    table,
    partition,
    oid,
    from,
    to,
    columns,
    rows: String(meter.rows),
    sha256: meter.digest,
  }
  const path = join(directory, name)
  await writeFile(`${path}.partial`, `${JSON.stringify(facts, null, 2)}\n`)
  await sync(`${path}.partial`)
  await rename(`${path}.partial`, path)
}

/** Names come from the catalog and may hold anything; a path separator must not lead out of the directory. */
function fileNamePart(text: string): string {
  return encodeURIComponent(text)
}
