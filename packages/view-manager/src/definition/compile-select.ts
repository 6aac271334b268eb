import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  type KyselyPlugin,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'

/** Writes values into the text: a stored query has no parameters. */
class InliningCompiler extends PostgresQueryCompiler {
  protected override appendValue(value: unknown): void {
    this.appendImmediateValue(value)
  }
}

/** A Kysely that compiles and never connects. */
function compilingKysely<Database>(plugins: readonly KyselyPlugin[]): Kysely<Database> {
  return new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new InliningCompiler(),
    },
    plugins: [...plugins],
  })
}

/** The SQL of a query with its constants inlined, and the names of the relations in its tree. */
export function compileSelect<Database>(
  query: (db: Kysely<Database>) => { compile(): CompiledQuery },
  plugins: readonly KyselyPlugin[],
): { readonly sql: string; readonly reads: readonly string[]; readonly kind: string } {
  const compiled = query(compilingKysely<Database>(plugins)).compile()
  const reads = new Set<string>()
  collectTables(compiled.query, reads)
  return { sql: compiled.sql, reads: [...reads], kind: compiled.query.kind }
}

function collectTables(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) collectTables(item, found)
    return
  }
  if (typeof node !== 'object' || node === null) return
  const { kind, identifier } = node as { kind?: unknown; identifier?: { name?: unknown } }
  if (kind === 'SchemableIdentifierNode' && typeof identifier?.name === 'string') found.add(identifier.name)
  for (const value of Object.values(node)) collectTables(value, found)
}
