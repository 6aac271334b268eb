import { quoted, type Step } from '../code.ts'
import { mild } from './conditions.ts'
import { column } from './expressions.ts'
import { innerQuery, relationOf } from './from.ts'
import { integerOf } from './joins.ts'
import type { Scope } from './scope.ts'

/** IN or EXISTS with a whole query of its own, uncorrelated. */
export function subqueryIn(scope: Scope): Step {
  const { random, names } = scope
  const made = innerQuery(scope, 'eb')
  const own = column(scope, ['int', 'id'])
  const inner = relationOf(names.next('d'), made)
  const value = integerOf(inner)
  if (!own?.ref || value === undefined || random.chance(0.2)) {
    const not = random.chance(0.3)
    const parts = [`.where((eb) => ${not ? 'eb.not(' : ''}eb.exists(`, made.query, not ? ')))' : '))']
    return { tag: 'subquery in where', parts }
  }
  const operator = random.weighted([
    [3, 'in'],
    [1, 'not in'],
  ] as const)
  // With something else beside it, so that not too many answers are empty.
  const [before, after] = random.chance(0.5) ? ['eb.or([', `, ${mild(scope)}])`] : ['', '']
  return {
    tag: 'subquery in where',
    parts: [
      `.where((eb) => ${before}eb(${quoted(own.ref)}, '${operator}', eb.selectFrom((eb) => `,
      made.query,
      `.as('${inner.alias}')).select('${inner.alias}.${value}'))${after})`,
    ],
  }
}
