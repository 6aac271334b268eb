import { readdirSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Mutant } from './mutants.ts'

const source = new URL('../../../packages/shard-router/src/', import.meta.url)
const sources = pathToFileURL(fileURLToPath(source)).href

/** Loads the router anew with one text replaced: the production code has no place for it. */
export async function importMutant(mutant: Mutant): Promise<typeof import('@shardwright/shard-router')> {
  const query = `?mutant=${encodeURIComponent(mutant.name)}`
  const { file, text } = mutated(mutant)
  const target = new URL(file, sources).href + query
  let replaced = 0
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const inside = context.parentURL?.endsWith(query) === true && resolved.url.startsWith(sources)
      return inside ? { ...resolved, url: resolved.url.replace(/\?.*$/, '') + query } : resolved
    },
    load(url, context, next) {
      if (url !== target) return next(url, context)
      replaced += 1
      return { format: 'module-typescript', source: text, shortCircuit: true }
    },
  })
  try {
    const router = (await import(`${sources}index.ts${query}`)) as typeof import('@shardwright/shard-router')
    if (replaced !== 1) throw new Error(`mutant '${mutant.name}': ${file} was loaded ${replaced} times`)
    return router
  } finally {
    hooks.deregister()
  }
}

/** The one source file with the mutant's text, and what becomes of it. */
function mutated({ name, find, replace }: Mutant): { file: string; text: string } {
  const words = find.split(/\s+/).map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(words.join('\\s+'), 'g')
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(new URL(file, sources), 'utf8')
      return [...text.matchAll(pattern)].map(() => ({ file, text: text.replace(pattern, () => replace) }))
    })
  const [only] = found
  if (!only || found.length > 1) {
    const places = found.map(({ file }) => file).join(', ') || 'no file'
    throw new Error(`mutant '${name}': its text must occur once, and it occurs in ${places}`)
  }
  return only
}
