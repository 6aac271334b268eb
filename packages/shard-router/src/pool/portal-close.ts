import { inOneWrite } from './one-write.ts'
import type { WireConnection } from './wire-connection.ts'
import { unnamedForm, WireQuery } from './wire-query.ts'

/** Closes a named portal, behind what the session has been given before. One that is gone already is no error. */
export class PortalClose extends WireQuery {
  readonly #portal: string

  constructor(portal: string, settled: () => void) {
    super({ sql: '', parameters: [], access: 'read', rows: 'text' }, unnamedForm, noTypes, settled)
    this.#portal = portal
  }

  override submit(connection: WireConnection): null {
    inOneWrite(connection, (wire) => {
      wire.close({ type: 'P', name: this.#portal })
      wire.sync()
    })
    return null
  }
}

const noTypes = Object.freeze({ getTypeParser: () => (text: string) => text })
