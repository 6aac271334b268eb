/** A word for bash and zsh. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

export function fishWord(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
