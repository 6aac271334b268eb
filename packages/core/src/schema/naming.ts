import { CamelCasePlugin } from 'kysely'

/** How names of `Database` become names on the server. */
export type Naming = 'as-is' | 'snake_case'

/** Kysely's own conversion, so that both always agree. */
class SnakeCaseNames extends CamelCasePlugin {
  physical(name: string): string {
    return this.snakeCase(name)
  }
}

/** Gives the function from names of `Database` to physical names. */
export function physicalNames(naming: Naming): (name: string) => string {
  if (naming === 'as-is') return (name) => name
  const names = new SnakeCaseNames()
  return (name) => names.physical(name)
}
