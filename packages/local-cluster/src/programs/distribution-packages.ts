import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runProgram } from '../process/run-program.ts'
import { type FoundProgram, findOnMachine } from './machine-programs.ts'
import { programCacheFolder, withLock } from './program-cache.ts'

// The packages of Debian and Ubuntu that hold a program.
const packagesOf: Readonly<Record<string, string>> = Object.freeze({
  'redis-server': 'redis-server',
  'valkey-server': 'valkey-server',
  pgbouncer: 'pgbouncer',
  haproxy: 'haproxy',
})

/**
 * Takes a program out of the distribution's packages into a cache folder: nothing is installed, no service is started,
 * and it needs no root. Fails with the reason.
 */
export async function obtainFromPackages(program: string): Promise<FoundProgram> {
  const packageName = packagesOf[program]
  if (packageName === undefined) throw new Error(`it is not known which package holds ${program}`)
  if (process.env.SHARDWRIGHT_OBTAIN === 'never') throw new Error('SHARDWRIGHT_OBTAIN=never forbids to obtain it')
  if (!(await findOnMachine('apt-get')) || !(await findOnMachine('dpkg-deb'))) {
    throw new Error('this machine has no apt-get to obtain it with')
  }
  const target = join(programCacheFolder(), await distributionName(), program)
  return await withLock(target, async () => {
    const cached = await programIn(target, program).catch(() => undefined)
    if (cached !== undefined) return cached
    await rm(target, { recursive: true, force: true }) // whatever is there does not run
    await download(packageName, target)
    return await programIn(target, program)
  })
}

async function distributionName(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const field = (name: string) => new RegExp(`^${name}="?([\\w.-]+)"?$`, 'm').exec(release)?.[1] ?? 'unknown'
  return `${field('ID')}-${field('VERSION_ID')}-${process.arch}`
}

async function download(packageName: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const folder = await mkdtemp(`${target}.new-`)
  try {
    // The machine's own package lists may be missing or too old to download by; then lists of our own.
    await downloadWith([], packageName, folder).catch(async () => {
      await downloadWith(await freshLists(folder), packageName, folder)
    })
    const root = join(folder, 'root')
    await mkdir(root)
    for (const file of await packageFiles(folder)) await runProgram('dpkg-deb', ['-x', file, root])
    await rename(root, target).catch((error: NodeJS.ErrnoException) => {
      // Two processes may have taken over the same dead lock: then the other one's is as good.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function downloadWith(options: readonly string[], packageName: string, folder: string): Promise<void> {
  const apt = [...options, '-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User=root']
  const plan = await runProgram('apt-get', ['-s', '--no-install-recommends', ...apt, 'install', packageName])
  // Only what the machine lacks is in the plan.
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name ?? '')
  if (missing.length === 0) throw new Error(`${packageName} is installed, but the program was not found`)
  await runProgram('apt-get', ['-q', ...apt, 'download', ...missing], { cwd: folder })
}

async function freshLists(folder: string): Promise<string[]> {
  const state = join(folder, 'apt')
  await mkdir(join(state, 'lists', 'partial'), { recursive: true })
  await mkdir(join(state, 'cache', 'archives', 'partial'), { recursive: true })
  const options = ['-o', `Dir::State::Lists=${join(state, 'lists')}`, '-o', `Dir::Cache=${join(state, 'cache')}`]
  await runProgram('apt-get', ['-q', ...options, '-o', 'APT::Sandbox::User=root', 'update'])
  return options
}

async function packageFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.deb')).map((name) => join(folder, name))
}

/** The program below `root`, once it has shown that it runs. */
async function programIn(root: string, program: string): Promise<FoundProgram> {
  for (const folder of ['usr/bin', 'usr/sbin', 'bin', 'sbin']) {
    const path = join(root, folder, program)
    if (!(await isExecutable(path))) continue
    const found = { path, environment: { LD_LIBRARY_PATH: (await libraryFolders(root)).join(':') } }
    await runProgram(path, [program === 'haproxy' ? '-v' : '--version'], { environment: found.environment })
    return found
  }
  throw new Error(`the package does not hold ${program}`)
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function libraryFolders(root: string): Promise<string[]> {
  const parents = [join(root, 'usr', 'lib'), join(root, 'lib')]
  const children = await Promise.all(
    parents.map(async (parent) => {
      const names = await readdir(parent).catch(() => [])
      return names.filter((name) => name.includes('-linux-')).map((name) => join(parent, name))
    }),
  )
  return [...parents, ...children.flat()]
}
