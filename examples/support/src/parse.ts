import { z } from 'zod'
import { HttpError } from './http-error.ts'

/** The value as the shape has it, or 400. */
export function parse<S extends z.ZodType>(shape: S, value: unknown): z.output<S> {
  const parsed = shape.safeParse(value)
  if (!parsed.success) throw new HttpError(400, z.prettifyError(parsed.error))
  return parsed.data
}
