import { emptyReader, type RowReader } from './row-reader.ts'
import { unnamedForm, type WireForm } from './wire-query.ts'

interface Prepared {
  /** `parsing`: its first use is under way; others must not share a name that may turn out to be refused. */
  state: 'parsing' | 'ready'
  form: WireForm
}

/** The named statements of one client. A name is given once and never again: neither pg nor a pooler forgets one. */
export class PreparedNames<Key> {
  #count = 0
  readonly #prepared = new Map<Key, Prepared>()

  /** Names given so far; they all stay on the server. */
  get count(): number {
    return this.#count
  }

  /** How to send a statement that was met before. */
  formOf(key: Key): WireForm {
    const prepared = this.#prepared.get(key)
    if (prepared !== undefined) return prepared.state === 'ready' ? prepared.form : unnamedForm
    const form: WireForm = { name: `s${this.#count++}`, parse: true, reader: undefined, simple: false }
    this.#prepared.set(key, { state: 'parsing', form })
    return form
  }

  /** Remembers what the first use of a name showed: the server need not describe the rows again. */
  keep(key: Key, form: WireForm, reader: RowReader | undefined): void {
    const prepared = this.#prepared.get(key)
    if (prepared?.form.name !== form.name || prepared.state === 'ready') return
    prepared.state = 'ready'
    prepared.form = { name: form.name, parse: false, reader: reader ?? emptyReader, simple: false }
  }

  /** Forgets a name that failed or went stale; the next use gets a new one. */
  forget(key: Key, form: WireForm): void {
    if (this.#prepared.get(key)?.form.name === form.name) this.#prepared.delete(key)
  }

  /** The server has forgotten all of them (DISCARD, DEALLOCATE). */
  clear(): void {
    this.#prepared.clear()
  }
}
