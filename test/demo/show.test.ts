import { expect, it } from 'vitest'
import { barsOf } from '../../examples/festival/src/show/bars.ts'
import { Progress } from '../../examples/festival/src/show/progress.ts'
import { tableOf } from '../../examples/festival/src/show/table.ts'
import { wrap } from '../../examples/festival/src/show/wrap.ts'

function written(isTTY: boolean): string {
  const parts: string[] = []
  const progress = new Progress({ isTTY, write: (part) => parts.push(part) }, 'loading', 1_000)
  for (let left = 10; left > 0; left--) progress.add(100)
  return parts.join('')
}

it('draws the progress over itself on a terminal, and plain lines elsewhere', () => {
  expect(written(true).match(/\r/g)).toHaveLength(10)
  expect(written(true)).toMatch(/█{40} 100 % 1,000 of 1,000 rows\n$/)
  expect(written(false)).not.toContain('\r')
  expect(written(false).trimEnd().split('\n').at(-1)).toBe('loading: 100 %, 1,000 of 1,000 rows')
  expect(written(false).split('\n')).toHaveLength(7)
})

it('aligns numbers to the right, shows NULL as nothing, and says what it leaves out', () => {
  expect(
    tableOf([
      { name: 'Bar', total: '9.50' },
      { name: 'Grill', total: '10.00' },
    ]),
  ).toEqual(['name   total', '-----  -----', 'Bar     9.50', 'Grill  10.00'])
  expect(tableOf([{ stand: null }])[2]).toBe('')
  expect(tableOf([])).toEqual(['(no rows)'])
  expect(tableOf([{ n: 1 }, { n: 2 }, { n: 3 }], 2).at(-1)).toBe('... 1 more')
})

it('draws bars in proportion, and breaks long lines at spaces', () => {
  expect(
    barsOf(
      [
        ['a', 10],
        ['bb', 5],
      ],
      4,
    ),
  ).toEqual(['a   ████ 10', 'bb  ██ 5'])
  expect(wrap('one two three', 2, 10)).toBe('one two\n  three')
})
