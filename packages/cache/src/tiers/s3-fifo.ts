/** One kept item. */
interface Node<V> {
  readonly key: string
  value: V
  weight: number
  /** Uses since it entered its queue, at most 3. */
  uses: number
  queue: Queue<V>
  older: Node<V> | undefined
  newer: Node<V> | undefined
}

/** A first-in-first-out list that knows its weight. */
class Queue<V> {
  oldest: Node<V> | undefined
  newest: Node<V> | undefined
  weight = 0
  count = 0

  push(node: Node<V>): void {
    node.queue = this
    node.older = this.newest
    node.newer = undefined
    if (this.newest) this.newest.newer = node
    else this.oldest = node
    this.newest = node
    this.weight += node.weight
    this.count += 1
  }

  remove(node: Node<V>): void {
    if (node.older) node.older.newer = node.newer
    else this.oldest = node.newer
    if (node.newer) node.newer.older = node.older
    else this.newest = node.older
    this.weight -= node.weight
    this.count -= 1
  }
}

export interface S3FifoOptions<V> {
  readonly maxEntries: number
  /** The sum of all weights; an item heavier than this is not kept. */
  readonly maxWeight: number
  readonly onEvict?: (key: string, value: V) => void
}

/**
 * S3-FIFO (Yang and others, SOSP 2023): new items pass through a small queue and only those that are used again reach
 * the main one, so a scan cannot push out what is in use. A hit changes one counter and moves nothing.
 */
export class S3Fifo<V> {
  readonly #options: S3FifoOptions<V>
  readonly #index = new Map<string, Node<V>>()
  readonly #small = new Queue<V>()
  readonly #main = new Queue<V>()
  /** Keys that left the small queue unused: one that returns goes straight to the main queue. */
  readonly #ghosts = new Set<string>()

  constructor(options: S3FifoOptions<V>) {
    this.#options = options
  }

  get size(): number {
    return this.#index.size
  }

  get weight(): number {
    return this.#small.weight + this.#main.weight
  }

  get(key: string): V | undefined {
    const node = this.#index.get(key)
    if (!node) return undefined
    if (node.uses < 3) node.uses += 1
    return node.value
  }

  /** Without counting as a use. */
  peek(key: string): V | undefined {
    return this.#index.get(key)?.value
  }

  set(key: string, value: V, weight: number): void {
    const known = this.#index.get(key)
    if (weight > this.#options.maxWeight) {
      if (known) this.#drop(known)
      return
    }
    if (known) {
      known.queue.weight += weight - known.weight
      known.weight = weight
      known.value = value
    } else {
      const queue = this.#ghosts.delete(key) ? this.#main : this.#small
      const node: Node<V> = { key, value, weight, uses: 0, queue, older: undefined, newer: undefined }
      this.#index.set(key, node)
      queue.push(node)
    }
    while (this.#index.size > this.#options.maxEntries || this.weight > this.#options.maxWeight) this.#evict()
  }

  delete(key: string): boolean {
    const node = this.#index.get(key)
    if (node) this.#drop(node)
    return node !== undefined
  }

  clear(): void {
    while (this.#small.oldest) this.#drop(this.#small.oldest)
    while (this.#main.oldest) this.#drop(this.#main.oldest)
    this.#ghosts.clear()
  }

  keys(): IterableIterator<string> {
    return this.#index.keys()
  }

  #drop(node: Node<V>): void {
    node.queue.remove(node)
    this.#index.delete(node.key)
  }

  #evict(): void {
    const { maxEntries, maxWeight } = this.#options
    const smallIsFull = this.#small.count > maxEntries / 10 || this.#small.weight > maxWeight / 10
    const fromSmall = this.#small.oldest !== undefined && (smallIsFull || !this.#main.oldest)
    if (fromSmall) this.#evictSmall(this.#small.oldest!)
    else this.#evictMain()
  }

  #evictSmall(node: Node<V>): void {
    if (node.uses > 0) {
      this.#small.remove(node)
      node.uses = 0
      this.#main.push(node)
      return
    }
    this.#drop(node)
    this.#ghosts.add(node.key)
    if (this.#ghosts.size > this.#options.maxEntries) this.#ghosts.delete(this.#ghosts.values().next().value!)
    this.#options.onEvict?.(node.key, node.value)
  }

  #evictMain(): void {
    for (let node = this.#main.oldest; node; node = this.#main.oldest) {
      if (node.uses === 0) {
        this.#drop(node)
        this.#options.onEvict?.(node.key, node.value)
        return
      }
      this.#main.remove(node)
      node.uses -= 1
      this.#main.push(node)
    }
  }
}
