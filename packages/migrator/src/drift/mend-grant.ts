import type { CatalogObject } from './catalog-object.ts'

/** Only what differs is granted or revoked: nobody is without a right meanwhile that both have. */
export function mendGrant({ parts: expected }: CatalogObject, { parts: found }: CatalogObject): readonly string[] {
  const { on, to } = expected ?? {}
  const [plain, grantable] = [rights(expected?.plain), rights(expected?.grantable)]
  const [hasPlain, hasGrantable] = [rights(found?.plain), rights(found?.grantable)]
  const revoked = [...hasPlain, ...hasGrantable].filter((right) => ![...plain, ...grantable].includes(right))
  const kept = [...hasPlain, ...hasGrantable].filter((right) => !revoked.includes(right) && !goesWith(right, revoked))
  const statement = (list: readonly string[], before: string, after: string) =>
    list.length === 0 ? [] : [`${before} ${list.join(', ')} on ${on} ${after}`]
  return [
    ...statement(revoked, 'revoke', `from ${to}`),
    ...statement(
      hasGrantable.filter((right) => plain.includes(right)),
      'revoke grant option for',
      `from ${to}`,
    ),
    ...statement(
      plain.filter((right) => !kept.includes(right)),
      'grant',
      `to ${to}`,
    ),
    ...statement(
      grantable.filter((right) => !kept.includes(right) || !hasGrantable.includes(right)),
      'grant',
      `to ${to} with grant option`,
    ),
  ]
}

function rights(list: string | null | undefined): readonly string[] {
  return JSON.parse(list ?? '[]') as readonly string[]
}

/** REVOKE of a right on a table takes it from every column too. */
function goesWith(right: string, revoked: readonly string[]): boolean {
  return revoked.some((other) => right.startsWith(`${other} (`))
}
