/** The same accesses for every run: a Zipf load over `keys` with a scan through keys of its own now and then. */
export function zipfWithScans(accesses: number, keys: number, seed: number): readonly string[] {
  const random = mulberry32(seed)
  const cumulative = cumulativeZipf(keys, 0.9)
  const result: string[] = []
  let scanned = 0
  while (result.length < accesses) {
    for (let access = 0; access < 5_000; access++) result.push(`k${indexOf(cumulative, random())}`)
    for (let access = 0; access < 1_000; access++) result.push(`scan${scanned++}`)
  }
  return result
}

function cumulativeZipf(keys: number, exponent: number): Float64Array {
  const sums = new Float64Array(keys)
  let sum = 0
  for (let key = 0; key < keys; key++) {
    sum += 1 / (key + 1) ** exponent
    sums[key] = sum
  }
  return sums.map((value) => value / sum)
}

function indexOf(cumulative: Float64Array, point: number): number {
  let low = 0
  let high = cumulative.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulative[middle]! < point) low = middle + 1
    else high = middle
  }
  return low
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
