import { createCase, caseTags } from './generate/case.ts'
import { render } from './code.ts'
import { mutants } from './mutants/mutants.ts'
import { createWorld } from './world/world.ts'
for (const name of ['the scale of a sum', 'rows of equal keys', 'partial counts', 'outer join of a ref', 'collation lost', 'correlated', 'uncorrelated','WITH TIES']) {
  const m = mutants.find((x) => x.name.startsWith(name))!
  const counts: number[] = []; let sample = ''
  for (let w = 0; w < 7; w++) {
    const world = createWorld('mutants', w); let n = 0
    for (let i = 0; i < 500; i++) {
      const focus = m.focus ?? []; const wishes = [...focus, ...(m.wish ?? [])]
      const own = createCase('mutants', w * 500 + i, world, wishes.length ? { wish: new Set(wishes), attempt: 1 } : {})
      const tags = caseTags(own)
      if (!focus.every((t) => tags.has(t))) continue
      const text = render(own.query)
      if (m.shows?.test(text) !== false) { n++; if (text.length < 300 && !sample) sample = text }
    }
    counts.push(n)
  }
  console.log(name, counts.join(' '), sample.replace(/\n\s*/g, ''))
}
