/** Wraps text at spaces; following lines are indented. Spaces at the beginning of a line stay. */
export function wrap(text: string, width: number, indent = ''): string {
  return text
    .split('\n')
    .map((paragraph) => wrapLine(paragraph, width, indent))
    .join('\n')
}

function wrapLine(paragraph: string, width: number, indent: string): string {
  const lines: string[] = []
  let line = /^ */.exec(paragraph)?.[0] ?? ''
  let empty = true
  for (const word of paragraph.trimStart().split(' ')) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = indent + word
    } else line = empty ? line + word : `${line} ${word}`
    empty = false
  }
  return [...lines, line].join('\n')
}
