import { randomUUID } from 'node:crypto'
import type { NameGeneration } from './name-generation.ts'
import { emptyReader, type RowReader } from './row-reader.ts'
import { unnamedForm, type WireForm } from './wire-query.ts'

interface Prepared {
  /** `parsing`: its first use is under way; others must not share a name that may turn out to be refused. */
  state: 'parsing' | 'ready'
  form: WireForm
}

/** The named statements of one client. A name is given once and never again: neither pg nor a pooler forgets one. */
export class PreparedNames<Key> {
  readonly #generation: NameGeneration
  /** Where a pooler gives one session to many clients unasked, another client's name must not mean another statement. */
  #prefix: string | undefined
  #count = 0
  #seen: number
  readonly #prepared = new Map<Key, Prepared>()

  constructor(generation: NameGeneration) {
    this.#generation = generation
    this.#seen = generation.current
  }

  /** Names given so far; they all stay on the server. */
  get count(): number {
    return this.#count
  }

  /** How to send a statement that was met before. */
  formOf(key: Key): WireForm {
    if (this.#seen !== this.#generation.current) this.clear()
    const prepared = this.#prepared.get(key)
    if (prepared !== undefined) return prepared.state === 'ready' ? prepared.form : unnamedForm
    this.#prefix ??= `sw_${randomUUID().slice(0, 8)}_`
    const form: WireForm = { name: `${this.#prefix}${this.#count++}`, parse: true, reader: undefined, simple: false }
    this.#prepared.set(key, { state: 'parsing', form })
    return form
  }

  /** True when a statement would be sent by this name now. */
  uses(key: Key, form: WireForm): boolean {
    return this.#seen === this.#generation.current && this.#prepared.get(key)?.form.name === form.name
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

  /** The server has forgotten all of them (DISCARD, DEALLOCATE), or what they were made of has changed. */
  clear(): void {
    this.#seen = this.#generation.current
    this.#prepared.clear()
  }
}
