/**
 * The statements of a text in lower case, without comments and what stands in quotes: strings become `''`, quoted names
 * their text where it is a plain word. For looking at keywords and calls; no string can pass for one.
 */
export function outlineOf(text: string): readonly string[] {
  return replaceQuoted(text, standIn)
    .toLowerCase()
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/** The text with `standIn` in place of each string and quoted name, and a blank in place of each comment. */
export function replaceQuoted(
  text: string,
  standIn: (quoted: string) => string,
  plain: (between: string) => string = (between) => between,
): string {
  let replaced = ''
  let from = 0
  quoting.lastIndex = 0
  for (let match = quoting.exec(text); match !== null; match = quoting.exec(text)) {
    replaced += plain(text.slice(from, match.index))
    const [found] = match
    if (found === '/*') quoting.lastIndex = endOfComment(text, match.index + 2)
    replaced += found === '/*' || found.startsWith('--') ? ' ' : standIn(found)
    from = quoting.lastIndex
  }
  return replaced + plain(text.slice(from))
}

const quoting =
  /--[^\r\n]*|\/\*|(?<![\w$])[eE]'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|(?<![\w$])\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|"(?:[^"]|"")*"/g

function standIn(found: string): string {
  if (!found.startsWith('"')) return "''"
  const name = found.slice(1, -1)
  return /^\w+$/.test(name) ? name : '""'
}

/** Comments nest. */
function endOfComment(text: string, start: number): number {
  const marks = /\/\*|\*\//g
  marks.lastIndex = start
  let depth = 1
  for (let match = marks.exec(text); match !== null; match = marks.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return text.length
}
