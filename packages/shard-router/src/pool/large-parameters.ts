const mostValues = 1_000
const mostElements = 10_000
const mostLength = 262_144

/** True when sending the values alone would hold up the statements behind them, whatever the text says. */
export function isLarge(parameters: readonly unknown[]): boolean {
  if (parameters.length > mostValues) return true
  for (const value of parameters) {
    if (typeof value === 'string' && value.length > mostLength) return true
    if (typeof value === 'object' && value !== null && isLargeObject(value)) return true
  }
  return false
}

function isLargeObject(value: object): boolean {
  if (ArrayBuffer.isView(value)) return value.byteLength > mostLength
  return Array.isArray(value) && value.length > mostElements
}
