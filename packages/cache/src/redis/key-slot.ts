/** The Redis Cluster slot of a key: CRC16 (XMODEM) of its hash tag, modulo 16,384. */
export function keySlot(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed, 'utf8')) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc % 16_384
}

/** Groups whose keys can travel in one command: all together on a single server, by slot on a cluster. */
export function groupBySlot(keys: readonly string[], cluster: boolean): string[][] {
  if (!cluster) return keys.length === 0 ? [] : [[...keys]]
  const groups = new Map<number, string[]>()
  for (const key of keys) {
    const slot = keySlot(key)
    const group = groups.get(slot)
    if (group) group.push(key)
    else groups.set(slot, [key])
  }
  return [...groups.values()]
}
