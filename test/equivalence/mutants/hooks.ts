import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Mutant } from './mutants.ts'

const source = new URL('../../../packages/shard-router/src/', import.meta.url)
const sources = pathToFileURL(fileURLToPath(source)).href

/** Loads the router anew with one text replaced: the production code has no place for it. */
export async function importMutant(mutant: Mutant): Promise<typeof import('@shardwright/shard-router')> {
  const query = `?mutant=${encodeURIComponent(mutant.name)}`
  const target = new URL(mutant.file, sources).href + query
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
      return { format: 'module-typescript', source: mutated(mutant), shortCircuit: true }
    },
  })
  try {
    const router = (await import(`${sources}index.ts${query}`)) as typeof import('@shardwright/shard-router')
    if (replaced !== 1) throw new Error(`mutant '${mutant.name}': ${mutant.file} was loaded ${replaced} times`)
    return router
  } finally {
    hooks.deregister()
  }
}

function mutated(mutant: Mutant): string {
  const text = readFileSync(new URL(mutant.file, sources), 'utf8')
  const parts = text.split(mutant.find)
  if (parts.length !== 2) {
    throw new Error(`mutant '${mutant.name}': its text occurs ${parts.length - 1} times in ${mutant.file}`)
  }
  return parts.join(mutant.replace)
}
