import type { NoticedWrite } from '../outbox/shard-drain.ts'

interface Relation {
  /** `table` for schema public, else `schema.table`, as repositories name it. */
  readonly table: string
  readonly columns: readonly string[]
}

export interface DecodedChanges {
  readonly writes: readonly NoticedWrite[]
  /** Where the last whole transaction ended, as a log position; `undefined` without one. */
  readonly endLsn: bigint | undefined
}

/** Reads the messages of PostgreSQL's pgoutput, protocol 1. Only what names rows is kept. */
export function decodePgoutput(messages: readonly Buffer[], nowMs: number): DecodedChanges {
  const relations = new Map<number, Relation>()
  const writes: NoticedWrite[] = []
  let open: NoticedWrite[] = []
  let endLsn: bigint | undefined
  for (const message of messages) {
    const reader = new Reader(message)
    const kind = reader.letter()
    if (kind === 'R') relations.set(reader.int32(), readRelation(reader))
    else if (kind === 'C') {
      reader.skip(9)
      endLsn = reader.int64()
      const ageMs = Math.max(0, nowMs - committedMs(reader.int64()))
      writes.push(...open.map((write) => ({ ...write, age_ms: ageMs })))
      open = []
    } else if (kind === 'T') open.push(...readTruncate(reader, relations))
    else if (kind === 'I' || kind === 'U' || kind === 'D') open.push(...readChange(reader, relations))
  }
  return { writes, endLsn }
}

function readRelation(reader: Reader): Relation {
  const schema = reader.text()
  const name = reader.text()
  reader.skip(1)
  const columns = Array.from({ length: reader.int16() }, () => {
    reader.skip(1)
    const column = reader.text()
    reader.skip(8)
    return column
  })
  return { table: schema === 'public' ? name : `${schema}.${name}`, columns }
}

/** Old and new row, as far as they came: without a change of the key, an update brings the new one only. */
function readChange(reader: Reader, relations: ReadonlyMap<number, Relation>): NoticedWrite[] {
  const relation = relations.get(reader.int32())!
  const rows: NoticedWrite[] = []
  while (!reader.ended) {
    reader.skip(1)
    rows.push({ table_name: relation.table, row_id: readTuple(reader, relation), age_ms: 0 })
  }
  return rows
}

function readTuple(reader: Reader, relation: Relation): Readonly<Record<string, string>> {
  const row: Record<string, string> = {}
  const count = reader.int16()
  for (let index = 0; index < count; index++) {
    if (reader.letter() === 't') row[relation.columns[index]!] = reader.sizedText()
  }
  return row
}

function readTruncate(reader: Reader, relations: ReadonlyMap<number, Relation>): NoticedWrite[] {
  const count = reader.int32()
  reader.skip(1)
  return Array.from({ length: count }, () => ({
    table_name: relations.get(reader.int32())!.table,
    row_id: null,
    age_ms: 0,
  }))
}

/** Microseconds since 2000 as milliseconds since 1970. */
function committedMs(microseconds: bigint): number {
  return Number(microseconds / 1000n) + 946_684_800_000
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length
  }

  skip(count: number): void {
    this.#at += count
  }

  letter(): string {
    return String.fromCharCode(this.#bytes[this.#at++]!)
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8)
  }

  /** Ends with a zero byte. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  sizedText(): string {
    const length = this.int32()
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }
}
