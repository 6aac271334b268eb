import type { RawNode } from 'kysely'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import type { Block } from './block.ts'

/** True when a level from here outwards has such a column, or may have it. */
export function ownsColumn(name: string, start: Block): boolean {
  for (let block: Block | undefined = start; block; block = block.parent) {
    if (block.relations.some(({ columns }) => columns === undefined || columns.includes(name))) return true
  }
  return false
}

/** True when the text of a raw fragment may name a column of a level around the query: `sql\`u.k = t.k\``. */
export function namesOuter(node: RawNode, block: Block, inside: ReadonlySet<Block>, outer: Block): boolean {
  if (unwrapRaw(node) !== node) return false
  const { names, tokens } = understandRaw(node)
  const levels: Block[] = []
  for (let level: Block | undefined = block; level && inside.has(level); level = level.parent) levels.push(level)
  const relations = levels.flatMap((level) => level.relations)
  return names.some((token) => {
    const at = tokens.indexOf(token)
    if (tokens[at - 1]?.text === '.') return false
    if (tokens[at + 1]?.text === '.')
      return !relations.some(({ alias, schema }) => alias === token.text || schema === token.text)
    const owned = relations.some(({ columns }) => columns === undefined || columns.includes(token.text))
    return !owned && ownsColumn(token.text, outer)
  })
}
