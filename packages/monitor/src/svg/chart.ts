/** A point of a line; undefined is a gap. */
export type Point = readonly [x: number, y: number] | undefined

/** Maps values onto pixels, linearly. */
export type Scale = (value: number) => number

/** From `[low, high]` to `[first, last]`; everything to `first` when there is no range. */
export function scaleOf(low: number, high: number, first: number, last: number): Scale {
  return (value) => round(high === low ? first : first + ((value - low) / (high - low)) * (last - first))
}

/** From zero, or the lowest value, with a little room above. */
export function axisOf(values: readonly (number | undefined)[], bottom: number, top: number): Scale {
  const known = knownOf(values)
  const high = greatest([...known, 0]) * 1.1 || 1
  return scaleOf(least([...known, 0]), high, bottom, top)
}

/** The `d` of a path: a new stroke begins after every gap. */
export function pathOf(points: readonly Point[]): string {
  return points
    .map((point, index) => point && `${points[index - 1] ? 'L' : 'M'}${point[0]} ${point[1]}`)
    .filter((part) => part !== undefined)
    .join(' ')
}

export function pointAt(x: number, value: number | undefined, y: Scale): Point {
  return value === undefined ? undefined : [x, y(value)]
}

export function knownOf(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined)
}

export function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
}

export function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
}

export function escapeXml(text: string | number | undefined): string {
  return String(text ?? '?').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A whole picture around its parts. */
export function pictureOf(width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
