import { z } from 'zod'
import { MonitorError } from './monitor-error.ts'

/**
 * Checks what came from outside.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 */
export function parseOptions<Shape extends z.ZodType>(what: string, shape: Shape, input: unknown): z.output<Shape> {
  const parsed = shape.safeParse(input)
  if (parsed.success) return parsed.data
  throw new MonitorError({
    code: 'MONITOR_INVALID_OPTIONS',
    message: `${what} cannot be used: ${z.prettifyError(parsed.error)}`,
  })
}
