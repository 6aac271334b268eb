import { Flight, type Outcome } from './flight.ts'

/**
 * One reading per key at a time in this process. A caller may have the outcome of a reading that began before it came
 * only when no invalidation can have come in between; otherwise it takes part in the next one.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>()
  /** By the keys of the tags that their values will carry: those end them just as well. */
  readonly #byTag = new Map<string, Set<Flight>>()
  readonly #leases: boolean
  #sequence = 0

  constructor(leases: boolean) {
    this.#leases = leases
  }

  async join(
    key: string,
    tagKeys: readonly string[],
    start: (flight: Flight) => Promise<Outcome>,
    joined: () => void,
  ): Promise<Outcome> {
    const arrived = ++this.#sequence
    for (;;) {
      const current = this.#flights.get(key)
      if (!current) return await this.#begin(key, tagKeys, start)
      joined()
      const outcome = await current.promise
      if (outcome.verified || current.sequence > arrived) return outcome
    }
  }

  /** The readings of these keys that are under way are for those who are on them already, and nobody else. */
  end(keys: readonly string[]): void {
    if (!this.#leases) return
    for (const key of keys) {
      this.#end(this.#flights.get(key))
      for (const flight of this.#byTag.get(key) ?? []) this.#end(flight)
    }
  }

  endAll(): void {
    this.end([...this.#flights.keys()])
  }

  #end(flight: Flight | undefined): void {
    if (!flight) return
    flight.dirty = true
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key)
  }

  #begin(key: string, tagKeys: readonly string[], start: (flight: Flight) => Promise<Outcome>): Promise<Outcome> {
    const flight = new Flight(key, ++this.#sequence)
    this.#flights.set(key, flight)
    for (const tag of tagKeys) this.#byTag.set(tag, (this.#byTag.get(tag) ?? new Set()).add(flight))
    flight.promise = start(flight).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
      for (const tag of tagKeys) this.#forget(tag, flight)
    })
    return flight.promise
  }

  #forget(tag: string, flight: Flight): void {
    const flights = this.#byTag.get(tag)
    flights?.delete(flight)
    if (flights?.size === 0) this.#byTag.delete(tag)
  }
}
