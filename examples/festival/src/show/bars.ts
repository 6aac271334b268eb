/** A bar per name, as long as its share of the largest. */
export function barsOf(values: readonly (readonly [name: string, value: number])[], width = 50): string[] {
  const largest = Math.max(1, ...values.map(([, value]) => value))
  const nameWidth = Math.max(...values.map(([name]) => name.length))
  return values.map(([name, value]) => {
    const bar = '█'.repeat(Math.round((value / largest) * width))
    return `${name.padEnd(nameWidth)}  ${bar} ${value.toLocaleString('en-US')}`
  })
}
