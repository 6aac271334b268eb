const dayMs = 86_400_000
const year10000 = Date.UTC(10_000, 0)

/**
 * The texts of instants, one after the other: those of one day, as the rows of a batch often are, share its date. pg writes
 * the local time with its offset: the same instant, at ten times the cost.
 */
export class InstantTexts {
  #day = -1
  #date = ''

  /** In UTC; undefined for what pg had better write: years outside 1970 to 9999, and no date at all. */
  of(instant: Date): string | undefined {
    const time = instant.getTime()
    if (!(time >= 0 && time < year10000)) return undefined
    const day = Math.floor(time / dayMs)
    if (day === this.#day) return `${this.#date}${timeOfDay(time - day * dayMs)}Z`
    const text = instant.toISOString()
    this.#day = day
    this.#date = text.slice(0, 'yyyy-mm-ddT'.length)
    return text
  }
}

const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

function timeOfDay(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  const minutes = Math.floor(seconds / 60)
  const fraction = String(ms % 1_000).padStart(3, '0')
  return `${twoDigits[Math.floor(minutes / 60)]}:${twoDigits[minutes % 60]}:${twoDigits[seconds % 60]}.${fraction}`
}
