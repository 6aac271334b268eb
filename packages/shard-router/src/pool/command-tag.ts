/** A command tag such as `INSERT 0 5`, read. */
export interface CommandTag {
  readonly command: string
  readonly rowCount: number
}

const known = new Map<string, CommandTag>()
const maxKnown = 256

/** Reads a command tag. Tags repeat, so that the common ones are kept. */
export function readCommandTag(text: string): CommandTag {
  const hit = known.get(text)
  if (hit !== undefined) return hit
  const tag = parseCommandTag(text)
  if (known.size < maxKnown) known.set(text, tag)
  return tag
}

// The verb is the first word, as pg gives it (`CREATE TABLE` is `CREATE`); the count is the last when it is a number.
function parseCommandTag(text: string): CommandTag {
  const words = text.split(' ')
  const count = words.length > 1 ? Number(words.at(-1)) : Number.NaN
  return Object.freeze({ command: words[0] ?? '', rowCount: Number.isNaN(count) ? 0 : count })
}
