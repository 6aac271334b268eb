import { CamelCasePlugin, HandleEmptyInListsPlugin, replaceWithNoncontingentExpression } from 'kysely'
import type { Plugin } from '../generate/case.ts'
import type { AnyKysely } from '../world/database.ts'
import { OtherValues } from './other-values.ts'
import { SharedNodes } from './shared-nodes.ts'

/** A database as a program with the plugin sees it. */
export function withPlugin(db: AnyKysely, plugin: Plugin): AnyKysely {
  switch (plugin) {
    case 'none':
      return db
    case 'camel case':
      return db.withPlugin(new CamelCasePlugin())
    case 'with schema':
      return db.withSchema('public')
    case 'empty lists':
      return db.withPlugin(new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }))
    case 'shared nodes':
      return db.withPlugin(new SharedNodes())
    case 'other values':
      return db.withPlugin(new OtherValues())
  }
}
