declare module 'pg/lib/utils.js' {
  /** Turns a JavaScript value into what pg sends: text, a Buffer, or null. */
  export function prepareValue(value: unknown): string | Uint8Array | null
}
