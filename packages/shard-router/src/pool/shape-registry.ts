import { StatementShape } from './statement-shape.ts'

/** The shapes of one server, at most `limit` of them: what was met first goes first, and is learned again if it returns. */
export class ShapeRegistry {
  readonly #limit: number
  readonly #shapes = new Map<string, StatementShape>()

  constructor(limit: number) {
    this.#limit = limit
  }

  shapeOf(sql: string): StatementShape {
    return this.#shapes.get(sql) ?? this.#add(sql)
  }

  get size(): number {
    return this.#shapes.size
  }

  #add(sql: string): StatementShape {
    if (this.#shapes.size >= this.#limit) {
      const [oldest] = this.#shapes.keys()
      if (oldest !== undefined) this.#shapes.delete(oldest)
    }
    const shape = new StatementShape(sql)
    this.#shapes.set(sql, shape)
    return shape
  }
}
