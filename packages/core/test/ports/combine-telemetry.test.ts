import { AsyncLocalStorage } from 'node:async_hooks'
import { combineTelemetry, noTelemetry, type Telemetry } from '@shardwright/core'
import { expect, test } from 'vitest'

function recorder(name: string, told: string[], tree = false): Telemetry {
  const parents = new AsyncLocalStorage<string>()
  const span = (label: string) => {
    told.push(`${name} begins ${label}${parents.getStore() ? ` in ${parents.getStore()}` : ''}`)
    return {
      end: (outcome?: { error?: unknown }) => void told.push(`${name} ends ${label} ${outcome?.error ?? 'well'}`),
    }
  }
  return {
    count: (label, value) => void told.push(`${name} counts ${label} ${value}`),
    record: (label, value) => void told.push(`${name} records ${label} ${value}`),
    gauge: (label, value) => void told.push(`${name} sets ${label} ${value}`),
    span,
    ...(tree && {
      scope: (label: string) => ({ ...span(label), run: <T>(work: () => T) => parents.run(label, work) }),
    }),
    log: (level, message) => void told.push(`${name} ${level} ${message}`),
  }
}

test('each is told all', () => {
  const told: string[] = []
  const both = combineTelemetry(recorder('a', told), noTelemetry, recorder('b', told))
  both.count('n', 1)
  both.record('ms', 2)
  both.gauge('open', 3)
  both.log('warn', 'slow')
  both.span('read').end({ error: 'failed' })
  expect(both.scope).toBeUndefined()
  const each = ['counts n 1', 'records ms 2', 'sets open 3', 'warn slow', 'begins read', 'ends read failed']
  expect(told).toEqual(each.flatMap((line) => [`a ${line}`, `b ${line}`]))
})

test('spans are in the scopes of those that keep a tree', () => {
  const told: string[] = []
  const all = combineTelemetry(recorder('a', told, true), recorder('b', told), recorder('c', told, true))
  const scope = all.scope?.('transaction')
  const read = () => {
    all.span('read').end()
    return 'result'
  }
  expect(scope?.run(read)).toBe('result')
  scope?.end()
  const ends = ['a ends read well', 'b ends read well', 'c ends read well']
  const begins = ['a begins read in transaction', 'b begins read', 'c begins read in transaction']
  expect(told.filter((line) => line.includes('read'))).toEqual([...begins, ...ends])
  expect(told.filter((line) => line.includes('ends transaction')).toSorted()).toEqual(
    ['a', 'b', 'c'].map((name) => `${name} ends transaction well`),
  )
})

test('one, or none, is itself', () => {
  const one = recorder('a', [])
  expect(combineTelemetry(one, noTelemetry)).toBe(one)
  expect(combineTelemetry()).toBe(noTelemetry)
})
