import { findNodes, stringsOf } from './lint-context.ts'

/** Built-in functions that give one value per statement or depend on their arguments only. */
const steady = new Set(
  (
    'now statement_timestamp transaction_timestamp lower upper coalesce concat md5 sha256 length abs date_trunc timezone ' +
    'to_char to_date to_timestamp make_date make_interval jsonb_build_object json_build_object jsonb_build_array ' +
    'to_json to_jsonb array_append format replace trim btrim ltrim rtrim decode encode current_database current_schema ' +
    'current_setting'
  ).split(' '),
)

/** The functions of an expression that may give another value for each row; unknown ones count. */
export function volatileFunctions(expression: unknown): readonly string[] {
  return findNodes(expression, 'FuncCall')
    .map((call) => stringsOf(call.funcname).at(-1) ?? '')
    .filter((name) => !steady.has(name))
}
