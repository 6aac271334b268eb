import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LiveArea } from '../src/output/live-area.ts'
import { ProgressBoard } from '../src/output/progress-board.ts'
import type { Screen } from '../src/output/screen.ts'

/** A terminal: lines, a cursor at the start of one of them, and the few sequences that the area uses. */
class Terminal {
  #lines = ['']
  readonly write = (text: string) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal reads
    for (const part of text.match(/\u001b\[\d*[AJ]|\n|\r|[^\u001b\n\r]+/g) ?? []) {
      const up = /\[(\d+)A$/.exec(part)
      if (up) this.#lines.splice(this.#lines.length - 1 - Number(up[1]), Number(up[1]))
      else if (part === '\n') this.#lines.push('')
      else if (!part.endsWith('J') && part !== '\r') this.#lines[this.#lines.length - 1] += part
    }
  }

  get text(): string {
    return this.#lines.join('\n')
  }
}

const size = () => ({ columns: 40, rows: 10 })

describe('what is drawn in place', () => {
  it('is drawn over, and goes when nothing is left; what is written goes above it', () => {
    const terminal = new Terminal()
    const area = new LiveArea(terminal.write, size)
    area.draw(['one', 'two'])
    area.above(() => terminal.write('written\n'))
    expect(terminal.text).toBe('written\none\ntwo\n')
    area.draw(['three'])
    area.above(() => terminal.write('more\n'))
    area.draw([])
    area.above(() => terminal.write('end\n'))
    expect(terminal.text).toBe('written\nmore\nend\n')
  })

  it('keeps to the terminal: no line wraps, none is above the upper edge', () => {
    const terminal = new Terminal()
    const area = new LiveArea(terminal.write, size)
    area.draw(Array.from({ length: 30 }, (_, at) => `line ${at} ${'x'.repeat(60)}`))
    const lines = terminal.text.trimEnd().split('\n')
    expect(lines).toHaveLength(8)
    expect(lines.at(-1)).toBe('  and 23 more')
    for (const line of lines) expect(line.length).toBeLessThan(40)
  })

  it('whatever is drawn, exactly what was written is left in the end', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ draw: fc.array(fc.stringMatching(/^[a-z]{0,50}$/), { maxLength: 12 }) }),
        fc.record({ write: fc.stringMatching(/^[a-z]{1,20}$/) }),
      ),
    )
    fc.assert(
      fc.property(steps, (list) => {
        const terminal = new Terminal()
        const area = new LiveArea(terminal.write, size)
        let expected = ''
        for (const step of list) {
          if ('draw' in step) area.draw(step.draw)
          else {
            area.above(() => terminal.write(`${step.write}\n`))
            expected += `${step.write}\n`
          }
        }
        area.draw([])
        expect(terminal.text).toBe(expected)
      }),
    )
  })
})

function screenOf(animated: boolean) {
  const notes: string[] = []
  const drawn: string[][] = []
  const screen: Screen = {
    width: 80,
    interactive: animated,
    line: () => {},
    note: (text) => void notes.push(text),
    draw: animated ? (lines) => void drawn.push([...lines]) : undefined,
  }
  return { screen, notes, drawn }
}

const without = (lines: readonly string[] | undefined) =>
  (lines ?? []).map((line) => line.replace(/^[-|/\\] /, '').replace(/ {2}[\d.]+ m?s$/, ''))

describe('progress', () => {
  it('shows in a terminal what each shard does, and lets what has ended scroll away', async () => {
    const { screen, notes, drawn } = screenOf(true)
    const board = new ProgressBoard(screen)
    board.doing('shard-1', '0001_tasks')
    board.doing('shard-10', '0001_tasks')
    board.doing('shard-1', '0001_tasks, attempt 2')
    expect(without(drawn.at(-1))).toEqual(['shard-1   0001_tasks, attempt 2', 'shard-10  0001_tasks'])
    const before = drawn.length
    await sleep(400)
    expect(drawn.length).toBeGreaterThan(before)
    board.ended('shard-1', '[1/2] done')
    expect([notes, without(drawn.at(-1))]).toEqual([['[1/2] done'], ['shard-10  0001_tasks']])
    board.close()
    expect(drawn.at(-1)).toEqual([])
    const closed = drawn.length
    await sleep(300)
    expect(drawn.length).toBe(closed)
  })

  it('is plain lines elsewhere, and nothing under --json', () => {
    const plain = screenOf(false)
    const board = new ProgressBoard(plain.screen)
    board.doing('shard-1', 'x')
    board.note('a lock was not free')
    board.ended('shard-1', 'done')
    board.close()
    expect(plain.notes).toEqual(['a lock was not free', 'done'])
    const json = screenOf(true)
    const quiet = new ProgressBoard(json.screen, true)
    quiet.doing('shard-1', 'x')
    quiet.note('n')
    quiet.ended('shard-1', 'done')
    quiet.close()
    expect([json.notes, json.drawn]).toEqual([[], []])
  })
})
