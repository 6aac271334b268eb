import type { Region } from '../schema/database.ts'

export interface Festival {
  readonly id: string
  readonly name: string
  readonly region: Region
  readonly country: string
}

const places: readonly (readonly [name: string, country: string, region: Region])[] = [
  ['Nordlicht', 'DE', 'europe'],
  ['Desert Sound', 'US', 'america'],
  ['Hanami', 'JP', 'asia'],
  ['Rive Gauche', 'FR', 'europe'],
  ['Lagoa', 'BR', 'america'],
  ['Fjord', 'NO', 'europe'],
  ['Monsoon', 'IN', 'asia'],
  ['Big Sky', 'US', 'america'],
  ['Dolomiti', 'IT', 'europe'],
  ['Han River', 'KR', 'asia'],
  ['Maple', 'CA', 'america'],
  ['Puszta', 'HU', 'europe'],
]

/** `count` festivals; the first are the biggest. */
export function makeFestivals(count: number): Festival[] {
  return Array.from({ length: count }, (_, index) => {
    const [name, country, region] = places[index % places.length] as (typeof places)[number]
    const number = Math.floor(index / places.length) + 1
    const id = `${name.toLowerCase().replaceAll(' ', '-')}-${number}`
    return { id, name: `${name} ${number}`, region, country }
  })
}

/** The share of each festival in the visitors: a few huge, many small (the k-th has 1/k of the first). */
export function sharesOf(count: number): number[] {
  const weights = Array.from({ length: count }, (_, index) => 1 / (index + 1))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}
