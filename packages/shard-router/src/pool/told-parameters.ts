import type { TelemetryAttributes } from '@shardwright/core'

const maxParameters = 50
const maxLength = 200

/** Parameters as OpenTelemetry's conventions name them: `db.query.parameter.0`. The first 50, 200 characters of each. */
export function toldParameters(parameters: readonly unknown[]): TelemetryAttributes {
  return Object.fromEntries(
    parameters.slice(0, maxParameters).map((value, index) => [`db.query.parameter.${index}`, textOf(value)]),
  )
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`
  const text = typeof value === 'object' && value !== null && !(value instanceof Date) ? jsonOf(value) : String(value)
  return text.length > maxLength ? `${text.slice(0, maxLength)}...` : text
}

function jsonOf(value: object): string {
  try {
    return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? String(value)
  } catch {
    return String(value)
  }
}
