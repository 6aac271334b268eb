/** What to tell someone whose Node cannot run the command: TypeScript files are read by Node itself, from 22.18 on. */
export function nodeRefusal(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return undefined
  return `shardwright needs Node >= 22.18 and runs on ${version} (${process.execPath}).\n  Install a current Node, or put it first in PATH.`
}
