const headerBytes = 8

/** The text of a container's log: each piece follows a header of its stream (one byte), three zeros and its length. */
export function readLogFrames(log: Buffer): string {
  const pieces: Buffer[] = []
  for (let offset = 0; offset + headerBytes <= log.length; ) {
    const length = log.readUInt32BE(offset + 4)
    pieces.push(log.subarray(offset + headerBytes, offset + headerBytes + length))
    offset += headerBytes + length
  }
  return Buffer.concat(pieces).toString('utf8')
}
