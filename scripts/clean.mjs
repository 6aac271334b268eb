import { readdirSync, rmSync } from 'node:fs'

for (const folder of readdirSync('packages')) {
  rmSync(`packages/${folder}/dist`, { recursive: true, force: true })
}
rmSync('node_modules/.cache', { recursive: true, force: true })
