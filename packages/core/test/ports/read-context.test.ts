import { type CommitToken, compareLsn, currentReadContext, ReadContext, runInReadContext } from '@shardwright/core'
import { describe, expect, it } from 'vitest'

const token = (lsn: string, incarnation = '7:1', shard = 'a'): CommitToken => ({ shard, lsn, incarnation, epoch: 1 })

describe('ReadContext', () => {
  it('keeps the later token of each shard', () => {
    const context = new ReadContext([token('0/FF'), token('0/10', '7:1', 'b')])
    context.add(token('0/A0'))
    expect(context.tokenOf('a')?.lsn).toBe('0/FF')
    context.add(token('1/0'))
    expect(context.tokens.map(({ shard, lsn }) => [shard, lsn])).toEqual([
      ['a', '1/0'],
      ['b', '0/10'],
    ])
  })

  it('believes a token of a new incarnation, whatever its place in the log', () => {
    const context = new ReadContext([token('5/0')])
    context.add(token('0/1', '7:2'))
    expect(context.tokenOf('a')).toEqual(token('0/1', '7:2'))
  })

  it('follows the asynchronous context, and only that', async () => {
    const outer = new ReadContext()
    const inner = new ReadContext()
    expect(currentReadContext()).toBeUndefined()
    await runInReadContext(outer, async () => {
      await Promise.resolve()
      expect(currentReadContext()).toBe(outer)
      await runInReadContext(inner, async () => expect(currentReadContext()).toBe(inner))
      expect(currentReadContext()).toBe(outer)
    })
    expect(currentReadContext()).toBeUndefined()
  })
})

describe('compareLsn', () => {
  it.each([
    ['0/0', '0/0', 0],
    ['0/FFFFFFFF', '1/0', -1],
    ['A/0', '9/FFFFFFFF', 1],
    ['0/10', '0/9', 1],
    ['FFFFFFFF/FFFFFFFF', 'FFFFFFFF/FFFFFFFE', 1],
  ])('%s and %s: %d', (a, b, order) => {
    expect(compareLsn(a, b)).toBe(order)
  })
})
