import { ViewError } from '../errors/view-error.ts'
import type { View } from './view.ts'

/** Views so that each comes after those it reads. */
export function orderViews(views: readonly View[]): View[] {
  const ordered: View[] = []
  const under = new Set<View>()
  const visit = (view: View, path: readonly string[]) => {
    if (ordered.includes(view)) return
    if (under.has(view)) {
      throw new ViewError({
        code: 'VIEW_CYCLE',
        message: `Views read one another in a circle: ${[...path, view.name].join(' -> ')}.`,
      })
    }
    under.add(view)
    for (const parent of parentsOf(view, views)) visit(parent, [...path, view.name])
    under.delete(view)
    ordered.push(view)
  }
  for (const view of views) visit(view, [])
  return ordered
}

export function parentsOf(view: View, views: readonly View[]): View[] {
  return views.filter((other) => other !== view && view.reads.includes(other.name))
}

/** The given views and all that read them, in the order of `ordered`. */
export function withDependents(changed: ReadonlySet<View>, ordered: readonly View[]): View[] {
  const all = new Set<View>()
  for (const view of ordered) {
    if (changed.has(view) || parentsOf(view, ordered).some((parent) => all.has(parent))) all.add(view)
  }
  return [...all]
}
