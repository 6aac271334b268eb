import { parse } from '@shardwright/example-support'
import { z } from 'zod'

export const title = z.string().trim().min(1).max(200)

/** The id in a path. It is read as PostgreSQL reads it, so that one user has one key under murmur3. */
export function idOf(text: string | undefined): string {
  return parse(z.uuid(), text).toLowerCase()
}
