import zlib from 'node:zlib'
import { decodeTags, encodeTags } from '../tiers/encode-tags.ts'
import type { Entry } from '../tiers/entry.ts'
import { deepFreeze } from '../values/immutable.ts'
import type { ValueCodec } from '../values/value-codec.ts'

/** Bytes 0-1 format and flags, 2-9 epoch, 10-21 fill id, 22-29 fresh until, 30-37 stale until, 38-41 load ms, 42-45 bytes, 46-47 length of tags. */
const headerBytes = 48
const format = 1
const flags = { compressed: 1, exotic: 2, shared: 4 } as const

export interface FrameOptions {
  readonly codec: ValueCodec
  readonly compressAboveBytes: number
}

/** An entry as Redis keeps it. @throws CacheError CACHE_TAGS */
export function encodeFrame(entry: Entry, epoch: Buffer, options: FrameOptions): Buffer {
  const raw = options.codec.encode(entry.value, entry.exotic)
  const packed = raw.length > options.compressAboveBytes ? zlib.zstdCompressSync(raw) : raw
  const compressed = packed.length < raw.length
  const tags = encodeTags(entry.tags)
  const header = Buffer.alloc(headerBytes)
  header[0] = format
  header[1] =
    (compressed ? flags.compressed : 0) |
    (entry.exotic ? flags.exotic : 0) |
    (entry.keeping === 'shared' ? flags.shared : 0)
  epoch.copy(header, 2)
  header.write(entry.fillId, 10, 12, 'latin1')
  header.writeDoubleBE(entry.freshUntil, 22)
  header.writeDoubleBE(entry.staleUntil, 30)
  header.writeFloatBE(entry.loadMs, 38)
  header.writeUInt32BE(Math.min(entry.bytes, 0xffff_ffff), 42)
  header.writeUInt16BE(tags.length, 46)
  return Buffer.concat([header, tags, compressed ? packed : raw])
}

/** `undefined` for frames of another epoch or format: they do not exist. */
export function decodeFrame(frame: Buffer, epoch: Buffer, codec: ValueCodec): Entry | undefined {
  if (frame.length < headerBytes || frame[0] !== format || frame.compare(epoch, 0, 8, 2, 10) !== 0) return undefined
  const flag = frame[1]!
  const tagBytes = frame.readUInt16BE(46)
  const payload = frame.subarray(headerBytes + tagBytes)
  const exotic = (flag & flags.exotic) !== 0
  const value = codec.decode((flag & flags.compressed) !== 0 ? zlib.zstdDecompressSync(payload) : payload, exotic)
  const shared = (flag & flags.shared) !== 0
  return {
    value: shared ? deepFreeze(value) : value,
    keeping: shared ? 'shared' : 'copied',
    exotic,
    bytes: frame.readUInt32BE(42),
    fillId: frame.toString('latin1', 10, 22),
    freshUntil: frame.readDoubleBE(22),
    staleUntil: frame.readDoubleBE(30),
    loadMs: frame.readFloatBE(38),
    tags: decodeTags(frame.subarray(headerBytes, headerBytes + tagBytes)),
  }
}
