/** Of all named statements of a shard's sessions: the names of an earlier one are not used any more. */
export class NameGeneration {
  #current = 0

  get current(): number {
    return this.#current
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
