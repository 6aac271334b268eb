type PackageJson = Record<string, unknown> & {
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Adds what the application needs to a package.json that is there; what stands in it stays. */
export function mergePackageJson(existing: string, wanted: string): string {
  const own = JSON.parse(existing) as PackageJson
  const added = JSON.parse(wanted) as PackageJson
  const known = { ...own.dependencies, ...own.devDependencies }
  const missing = (list: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(list).filter(([name]) => !(name in known)))
  const merged = {
    ...added,
    ...own,
    type: 'module',
    // `npm init` writes a test script that fails on purpose.
    scripts: { ...added.scripts, ...withoutPlaceholder(own.scripts) },
    dependencies: { ...own.dependencies, ...missing(added.dependencies) },
    devDependencies: { ...own.devDependencies, ...missing(added.devDependencies) },
  }
  return `${JSON.stringify(merged, null, 2)}\n`
}

function withoutPlaceholder(scripts: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(scripts).filter(([, script]) => !script.includes('no test specified')))
}
