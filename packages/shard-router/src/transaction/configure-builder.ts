import type { TransactionSettings } from 'kysely'

interface SettingsBuilder<B> {
  setIsolationLevel(level: NonNullable<TransactionSettings['isolationLevel']>): B
  setAccessMode(mode: NonNullable<TransactionSettings['accessMode']>): B
}

/** A transaction builder of Kysely with what the options say of the transaction. */
export function configured<B extends SettingsBuilder<B>>(
  builder: B,
  { isolationLevel, accessMode }: TransactionSettings,
): B {
  const isolated = isolationLevel ? builder.setIsolationLevel(isolationLevel) : builder
  return accessMode ? isolated.setAccessMode(accessMode) : isolated
}
