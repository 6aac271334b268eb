/** One line of JSON on the watchdog's standard input. */
export type WatchdogMessage =
  | {
      readonly op: 'add-process'
      readonly pid: number
      readonly identity: string
      /** Set for a PostgreSQL server: it is asked to stop before it is killed. */
      readonly dataDirectory?: string
    }
  | { readonly op: 'remove-process'; readonly pid: number }
  | { readonly op: 'add-folder' | 'remove-folder'; readonly path: string }
