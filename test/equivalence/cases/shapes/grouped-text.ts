import type { Shape } from './shape.ts'

/** Raw text in which a grouped expression stands. */
export const groupedText: readonly Shape[] = [
  {
    name: 'raw text that contains a grouped call',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`lower(name)\`.as('low'), sql\`'<' || lower(name) || '>'\`.as('marked'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'raw text that contains grouped text, a cast of a group and a bare group',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(g + 1, 0) * 2 + length((g + 1)::text)\`.as('a'), sql\`ts::date - date '2000-01-01'\`.as('b'), sql\`v::text || 'x'\`.as('c'), (eb) => eb.fn.sum('id').as('s')]).groupBy([sql\`g + 1\`, sql\`ts::date\`, 'v'])`,
  },
  {
    name: 'raw text that contains a grouped call of Kysely, HAVING and ORDER BY too',
    ordered: true,
    code: `db.selectFrom('t').select((eb) => [eb.fn('date_trunc', [sql.lit('month'), 'ts']).as('month'), eb.fn.countAll().as('n')]).groupBy((eb) => eb.fn('date_trunc', [sql.lit('month'), 'ts'])).having(sql\`extract(year from date_trunc('month', \${sql.ref('ts')})) > 2000\`).orderBy(sql\`date_trunc('month', \${sql.ref('ts')}) + interval '1 day'\`)`,
  },
  {
    name: 'raw text that contains a grouped call, beside a raw aggregate',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`upper(lower(name)) || '!'\`.as('up'), sql\`array_agg(id order by id)\`.as('ids')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 1',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`upper(lower(name)) || lower(name)\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 2',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`(g + v) * 2\`.as('a'), sql\`-(g + v)\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g + v\`)`,
  },
  {
    name: 'a grouped expression inside another, 3',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g * (g + v)\`.as('a'), (eb) => eb.fn.avg('m').as('n')]).groupBy([sql\`g + v\`, 'g'])`,
  },
  {
    name: 'a grouped expression inside another, 4',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`case when lower(name) = 'a' then 1 else length(lower(name)) end\`.as('a'), (eb) => eb.fn.avg('m').as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 5',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(case when g > 1 then 'x' end, 'none')\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`case when g > 1 then 'x' end\`)`,
  },
  {
    name: 'a grouped expression inside another, 6',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`extract(year from ts) + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`extract(year from ts)\`)`,
  },
  {
    name: 'a grouped expression inside another, 7',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`to_char(date_trunc('month', ts) at time zone 'UTC', 'YYYY-MM')\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`date_trunc('month', ts)\`)`,
  },
  {
    name: 'a grouped expression inside another, 8',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`ts::date::text\`.as('a'), sql\`ts::date + 1\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`ts::date\`)`,
  },
  {
    name: 'a grouped expression inside another, 9',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`j->>'a' || '!'\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`j->>'a'\`)`,
  },
  {
    name: 'a grouped expression inside another, 10',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`arr[1] + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`arr[1]\`)`,
  },
  {
    name: 'a grouped expression inside another, 11',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g % 2 + 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g % 2\`)`,
  },
  {
    name: 'a grouped expression inside another, 12',
    ordered: false,
    code: `db.selectFrom('t as p').select([sql\`lower(p.name) || p.g\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy([sql\`lower(p.name)\`, 'p.g'])`,
  },
  {
    name: 'a grouped expression inside another, 13',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`sum(g + v) / (g + v)\`.as('a')]).groupBy(sql\`g + v\`).having(sql\`g + v\`, '<>', 0)`,
  },
  {
    name: 'a grouped expression inside another, 14',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`rank() over (order by lower(name))\`.as('a'), sql\`lower(name)\`.as('b')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 15',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`sum(count(*)) over (partition by lower(name))\`.as('a'), sql\`lower(name)\`.as('b')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 16',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`name::varchar(2) || 'x'\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`name::varchar(2)\`)`,
  },
  {
    name: 'a grouped expression inside another, 17',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(lower(name), 'all')\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`rollup(lower(name))\`)`,
  },
  {
    name: 'a grouped expression inside another, 18',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(lower(name), 'all')\`.as('a'), sql\`array_agg(id order by id)\`.as('n')]).groupBy(sql\`rollup(lower(name))\`)`,
  },
  {
    name: 'a grouped expression inside another, 19',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`coalesce(g, -1)\`.as('a'), sql\`coalesce(v, -1)\`.as('b'), sql\`count(*)\`.as('n')]).groupBy(sql\`distinct grouping sets ((g, v), (g), (g, v))\`)`,
  },
  {
    name: 'a grouped expression inside another, 20',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`1 + g % 2\`.as('a'), sql\`1 - (g + v) - 1\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy([sql\`g % 2\`, sql\`g + v\`])`,
  },
  {
    name: 'a grouped expression inside another, 21',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`g + v > 3 and g + v < 7\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g + v\`)`,
  },
  {
    name: 'a grouped expression inside another, 22',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`not g > 1\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g > 1\`)`,
  },
  {
    name: 'a grouped expression inside another, 23',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`(g > 1) is true\`.as('a'), sql\`g > 1 is not true\`.as('b'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g > 1\`)`,
  },
  {
    name: 'a grouped expression inside another, 24',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`case g + v when 3 then 'x' else (g + v)::text end\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g + v\`)`,
  },
  {
    name: 'a grouped expression inside another, 25',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`lower(name) in ('a', 'b')\`.as('a'), sql\`lower(name) like 'a%'\`.as('b'), sql\`lower(name) between 'a' and 'c'\`.as('c'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 26',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`lower(name) collate "C" < 'b'\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`lower(name)\`)`,
  },
  {
    name: 'a grouped expression inside another, 27',
    ordered: false,
    code: `db.selectFrom('t').select([sql\`- (g % 2)\`.as('a'), (eb) => eb.fn.countAll().as('n')]).groupBy(sql\`g % 2\`)`,
  },
  {
    name: 'a grouped expression inside another, 28',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb(eb('g', '%', eb.lit(2)), '+', eb.lit(1)).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2)))`,
  },
  {
    name: 'a grouped expression inside another, 29',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb('g', '+', eb.ref('v')).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '+', eb.ref('v'))).having((eb) => eb(eb('g', '+', eb.ref('v')), 'is not', null))`,
  },
  {
    name: 'a grouped expression inside another, 30',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb('g', '+', eb.ref('v')).as('a'), eb.fn.countAll().as('n')]).groupBy('a').having((eb) => eb.and([eb(eb('g', '+', eb.ref('v')), '>', 1), eb(eb.fn.countAll(), '>', 0)]))`,
  },
  {
    name: 'a grouped expression inside another, 31',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb(eb.parens(eb('g', '+', eb.ref('v'))), '*', eb.lit(2)).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '+', eb.ref('v')))`,
  },
  {
    name: 'a grouped expression inside another, 32',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.not(eb('g', '>', eb.lit(1))).as('a'), eb.fn.countAll().as('n')]).groupBy((eb) => eb('g', '>', eb.lit(1)))`,
  },
  {
    name: 'a grouped expression inside another, 33',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.between(eb('g', '%', eb.lit(2)), eb.lit(0), eb.lit(1)).as('a'), eb.fn.agg('array_agg', ['id']).orderBy('id').as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2)))`,
  },
  {
    name: 'a grouped expression inside another, 34',
    ordered: false,
    code: `db.selectFrom('t').select((eb) => [eb.case().when(eb('g', '%', eb.lit(2)), '=', 1).then('odd').else('even').end().as('a'), eb.fn.agg('array_agg', ['id']).orderBy('id').as('n')]).groupBy((eb) => eb('g', '%', eb.lit(2))).having((eb) => eb.or([eb(eb('g', '%', eb.lit(2)), '=', 0), eb(eb('g', '%', eb.lit(2)), '<>', 0)]))`,
  },
]
