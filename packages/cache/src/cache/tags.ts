import { randomUUID } from 'node:crypto'
import type { CommitToken } from '@shardwright/core'
import type { ResolvedEntryOptions } from '../flow/entry-options.ts'
import { defaultEntryOptions } from '../flow/entry-options.ts'
import type { Load } from '../flow/load-context.ts'
import type { TagVersion } from '../tiers/entry.ts'

/** The value of a tag's own entry. */
interface TagValue {
  readonly version: string
  /** Of the invalidation that ended the version before it. */
  readonly requires: readonly CommitToken[]
}

export interface TagsInit {
  readonly tagKey: (tag: string) => string
  /** Reads a tag's entry through the flow. */
  readonly read: (key: string, options: ResolvedEntryOptions, load: Load<TagValue>) => Promise<unknown>
  /** Its entry where it is at hand without waiting. */
  readonly peek: (key: string) => unknown
}

const day = 24 * 60 * 60_000
const tagOptions: ResolvedEntryOptions = Object.freeze({
  ...defaultEntryOptions,
  ttlMs: 30 * day,
  jitter: 0,
  earlyRefresh: 0,
  loadGroup: '@tags',
  sharedFirst: true,
})

/**
 * A tag is an entry whose value is a random version, made on first use. To invalidate a tag is to remove that entry:
 * the next version differs, and entries that carry the old one no longer hold. No clocks; a version that is lost
 * (evicted, flushed) ends the entries that carry it.
 */
export class Tags {
  readonly #init: TagsInit

  constructor(init: TagsInit) {
    this.#init = init
  }

  /** To be read before the load begins: a tag that is invalidated during the load then ends the entry. */
  async versions(
    tags: readonly string[],
  ): Promise<{ versions: readonly TagVersion[]; requires: readonly CommitToken[] }> {
    const keys = tags.map((tag) => this.#init.tagKey(tag))
    const values = await Promise.all(keys.map((key) => this.#read(key)))
    return {
      versions: values.map((value, index) => ({ key: keys[index]!, version: value.version })),
      requires: values.flatMap((value) => value.requires),
    }
  }

  /** Whether all versions are still current; at once where they are at hand. */
  hold(tags: readonly TagVersion[]): boolean | Promise<boolean> {
    return this.holdNow(tags) ?? this.#holdSlowly(tags)
  }

  /** `undefined` when a version is not at hand. */
  holdNow(tags: readonly TagVersion[]): boolean | undefined {
    for (const tag of tags) {
      const value = this.#init.peek(tag.key) as TagValue | undefined
      if (value === undefined) return undefined
      if (value.version !== tag.version) return false
    }
    return true
  }

  async #holdSlowly(tags: readonly TagVersion[]): Promise<boolean> {
    const current = await Promise.all(tags.map((tag) => this.#read(tag.key)))
    return tags.every((tag, index) => current[index]!.version === tag.version)
  }

  async #read(key: string): Promise<TagValue> {
    const load: Load<TagValue> = ({ requires }) => ({ version: randomUUID(), requires: [...requires] })
    return (await this.#init.read(key, tagOptions, load)) as TagValue
  }
}
