import { Flight, type Outcome } from './flight.ts'

/**
 * One reading per key at a time in this process. A caller may have the outcome of a reading that began before it came
 * only when no invalidation can have come in between; otherwise it takes part in the next one.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>()
  readonly #leases: boolean
  #sequence = 0

  constructor(leases: boolean) {
    this.#leases = leases
  }

  async join(key: string, start: (flight: Flight) => Promise<Outcome>, joined: () => void): Promise<Outcome> {
    const arrived = ++this.#sequence
    for (;;) {
      const current = this.#flights.get(key)
      if (!current) return await this.#begin(key, start)
      joined()
      const outcome = await current.promise
      if (outcome.verified || current.sequence > arrived) return outcome
    }
  }

  /** The readings of these keys that are under way are for those who are on them already, and nobody else. */
  end(keys: readonly string[]): void {
    if (!this.#leases) return
    for (const key of keys) {
      const flight = this.#flights.get(key)
      if (!flight) continue
      flight.dirty = true
      this.#flights.delete(key)
    }
  }

  endAll(): void {
    this.end([...this.#flights.keys()])
  }

  #begin(key: string, start: (flight: Flight) => Promise<Outcome>): Promise<Outcome> {
    const flight = new Flight(++this.#sequence)
    this.#flights.set(key, flight)
    flight.promise = start(flight).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    })
    return flight.promise
  }
}
