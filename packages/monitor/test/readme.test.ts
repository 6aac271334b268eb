import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { defaultMetrics, type Limits, type MetricUnit } from '../src/index.ts'

const shown = (value: number, unit: MetricUnit) =>
  unit === 'ratio' ? `${Math.round(value * 100)} %` : unit === 'count' ? `${value}` : `${value} ${unit}`
const limitsOf = ({ worse, warning, critical }: Limits, unit: MetricUnit) =>
  `${worse} ${warning === critical ? shown(warning, unit) : `${shown(warning, unit)} / ${shown(critical, unit)}`}`

it("the README's table of metrics is what the definitions say", () => {
  const lines = defaultMetrics.map(
    ({ name, title, area, unit, limits }) =>
      `| ${area} | \`${name}\` | ${title} | ${limits ? limitsOf(limits, unit) : ''} |`,
  )
  const table = ['| area | metric | what | warning / critical |', '|---|---|---|---|', ...lines].join('\n')
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const marker = '<!-- metrics: made by test/readme.test.ts -->\n\n'
  const found = readme.slice(readme.indexOf(marker) + marker.length).split('\n\n')[0]
  expect(found).toBe(table)
})
