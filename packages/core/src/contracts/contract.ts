/** One sentence that every implementation of a port keeps, and the check of it. Throws (AssertionError) when broken. */
export interface ContractCase<Subject> {
  readonly name: string
  check(make: () => Promise<Subject>): Promise<void>
}

/**
 * What implementations of a port are held against, under any test runner.
 * @example
 * for (const { name, check } of clockContract) it(name, () => check(async () => myClock))
 */
export type Contract<Subject> = readonly ContractCase<Subject>[]
