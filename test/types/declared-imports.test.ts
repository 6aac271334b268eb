// What the published declarations import has types for whoever installs the package alone, without skipLibCheck.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const packages = join(import.meta.dirname, '../../packages')

interface Manifest {
  readonly types?: string
  readonly exports?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

function manifestOf(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest
}

/** Every module that the declarations import, from the package's entry points on; files of its own are followed. */
function importedBy(folder: string): ReadonlySet<string> {
  const waiting = [
    ...JSON.stringify(manifestOf(join(folder, 'package.json')).exports).matchAll(/"types":"([^"]+)"/g),
  ].map(([, entry]) => join(folder, entry as string))
  const met = new Set(waiting)
  const imported = new Set<string>()
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*.*?\*\//gs, '')
    for (const [, module = ''] of text.matchAll(/(?:from|import\() ?'([^']+)'/g)) {
      const own = module.startsWith('.') ? join(dirname(file), module.replace(/\.[jt]s$/, '.d.ts')) : undefined
      if (own === undefined) imported.add(module)
      else if (!met.has(own)) {
        met.add(own)
        waiting.push(own)
      }
    }
  }
  return imported
}

function hasTypes(module: string, folder: string): boolean {
  if (builtinModules.includes(module.replace(/^node:/, ''))) return true
  const { dependencies = {}, peerDependencies = {} } = manifestOf(join(folder, 'package.json'))
  const name = module.split('/', module.startsWith('@') ? 2 : 1).join('/')
  if (`@types/${name}` in dependencies) return true
  if (!(name in dependencies || name in peerDependencies)) return false
  const places = createRequire(join(folder, 'package.json')).resolve.paths(name) ?? []
  const file = places.map((place) => join(place, name, 'package.json')).find((candidate) => existsSync(candidate))
  const manifest = file === undefined ? undefined : manifestOf(file)
  return manifest?.types !== undefined || /"types"|\.d\.[cm]?ts"/.test(JSON.stringify(manifest?.exports ?? {}))
}

it.each(readdirSync(packages))('%s', (name) => {
  const folder = join(packages, name)
  const imported = importedBy(folder)
  expect([...imported].filter((module) => !hasTypes(module, folder))).toEqual([])
})
