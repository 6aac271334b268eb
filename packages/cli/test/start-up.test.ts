import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

const main = new URL('../src/main.ts', import.meta.url)

/** Everything that a start of the command loads, by its specifier's file. */
function loaded(...args: string[]): readonly string[] {
  const hooks = `
    import { registerHooks } from 'node:module'
    const urls = []
    registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context) } })
    process.on('exit', () => console.error('LOADED ' + JSON.stringify(urls)))`
  const out = execFileSync(
    'sh',
    [
      '-c',
      '"$@" 2>&1 >/dev/null',
      'sh',
      process.execPath,
      '--conditions=shardwright-source',
      '--import',
      `data:text/javascript,${encodeURIComponent(hooks)}`,
      main.pathname,
      ...args,
    ],
    { encoding: 'utf8' },
  )
  return JSON.parse(/^LOADED (.*)$/m.exec(out)?.[1] ?? '[]') as string[]
}

const packagesOf = (urls: readonly string[]) =>
  new Set(urls.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []))

// What is not loaded takes no time: under 300 ms on any machine that runs Node at all.
it.each([['--help'], ['migrate', '--help'], ['--version'], ['completion', '--help']])(
  '%s %s loads commander and a few files of ours, and no command',
  (...args) => {
    const urls = loaded(...args)
    expect([...packagesOf(urls)]).toEqual(['commander'])
    const own = urls.filter((url) => url.includes('/packages/')).map((url) => url.replace(/.*\/packages\//, ''))
    expect(own.filter((file) => !file.startsWith('cli/src/'))).toEqual([])
    expect(own.filter((file) => file.startsWith('cli/src/commands/'))).toEqual([])
    expect(own.length).toBeLessThan(25)
    expect(own).toContain('cli/src/main.ts')
  },
)
