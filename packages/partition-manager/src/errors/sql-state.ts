/** The SQLSTATE of a driver error, or `undefined`. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

export const lockNotAvailable = '55P03'
export const deadlockDetected = '40P01'
export const checkViolation = '23514'
export const foreignKeyViolation = '23503'
export const dependentObjects = '2BP01'
export const uniqueViolation = '23505'
