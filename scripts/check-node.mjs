// Every npm script runs on the Node that package.json pins (devDependency `node`), not on the machine's.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Shardwright needs Node >= 22.18, but this script runs on ${process.version} (${process.execPath}).\n` +
      'Run `npm ci`: it installs a current Node as a devDependency, and start scripts with `npm run`.',
  )
  process.exit(1)
}
