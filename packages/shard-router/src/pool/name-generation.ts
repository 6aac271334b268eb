/** Of all named statements of a shard's sessions: the names of an earlier one are not used any more. */
export class NameGeneration {
  #current = 0
  #kept = true

  get current(): number {
    return this.#current
  }

  /** False once a pooler has lost names of its clients: it keeps none, whatever the topology says. */
  get kept(): boolean {
    return this.#kept
  }

  lost(): void {
    this.#kept = false
  }

  /** The schema has changed: a named statement keeps the types of its parameters for as long as it lives. */
  next(): void {
    this.#current++
  }
}

/** True when what was run may have changed the types of columns; of a script, whose tags are many, by its text. */
export function altersTypes(command: string, sql: string, isScript: boolean): boolean {
  return command === 'ALTER' || command === 'DO' || (isScript && /\balter\b/i.test(sql))
}
