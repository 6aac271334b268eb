/** Volatile functions that give each row a value of its own, wherever it is computed. */
export const independent: ReadonlySet<string> = new Set([
  'random',
  'gen_random_uuid',
  'uuidv4',
  'uuid_generate_v4',
  'uuidv7',
  'random_normal',
])
