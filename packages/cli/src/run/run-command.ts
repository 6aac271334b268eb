import { ShardwrightError } from '@shardwright/core'
import { exitCode } from '../output/exit-code.ts'
import { ProgressBoard } from '../output/progress-board.ts'
import type { Screen } from '../output/screen.ts'
import { wrap } from '../output/wrap.ts'
import type { Command, GlobalOptions } from './command.ts'
import { commandContext } from './command-context.ts'

const patienceMs = 300
const stopping = 'Stopping: what is under way ends first. Once more to leave at once.'

/** Runs one command and prints what it found, or why it could not. Returns the exit code. */
export async function runCommand<Options>(
  command: Command<Options>,
  options: Options,
  global: GlobalOptions,
  screen: Screen,
): Promise<number> {
  const interrupt = new AbortController()
  const progress = new ProgressBoard(screen, global.json === true)
  let patience: NodeJS.Timeout | undefined
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(exitCode.interrupted)
    interrupt.abort(new Error('interrupted'))
    // What ends at once needs no word about it.
    patience = setTimeout(() => screen.note(stopping), patienceMs)
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    const result = await command(commandContext(screen, global, interrupt.signal, progress), options)
    progress.close()
    const text = global.json ? toJson(result.data) : result.render(screen.width)
    if (text !== '') screen.line(text)
    if (!global.json) for (const error of result.errors ?? []) printError(error, screen)
    return interrupt.signal.aborted ? exitCode.interrupted : (result.exitCode ?? exitCode.ok)
  } catch (error) {
    progress.close()
    if (global.json) screen.line(toJson({ error: describe(error) }))
    else printError(error, screen)
    return interrupt.signal.aborted ? exitCode.interrupted : codeFor(error)
  } finally {
    clearTimeout(patience)
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

export function toJson(data: unknown): string {
  return JSON.stringify(
    data,
    (_, value) => (typeof value === 'bigint' ? String(value) : value instanceof Error ? describe(value) : value),
    2,
  )
}

function describe(error: unknown) {
  if (!(error instanceof ShardwrightError))
    return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) }
  return { code: error.code, message: error.message, hint: error.hint, details: error.details }
}

function printError(error: unknown, screen: Screen): void {
  const { code, message } = describe(error)
  screen.note(wrap(`${code}: ${message}`, screen.width, '  '))
  if (error instanceof ShardwrightError && error.hint) screen.note(wrap(`  ${error.hint}`, screen.width, '  '))
  if (code === 'UNEXPECTED' && process.env.SHARDWRIGHT_DEBUG && error instanceof Error) screen.note(String(error.stack))
}

function codeFor(error: unknown): number {
  if (!(error instanceof ShardwrightError)) return exitCode.error
  if (error.code === 'NOT_CONFIRMED') return exitCode.notConfirmed
  return error.code === 'USAGE' ? exitCode.usage : exitCode.error
}
