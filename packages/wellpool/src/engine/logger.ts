/** Where the pool writes what it decides: an object with the facts first, then a sentence, as pino has it. */
export interface Logger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
  /**
   * Whether it writes at a level. While it says no to `debug`, the events of leases are not put together for it. Asked
   * again within 100 ms while leases are handed out. Without it every level is wanted.
   */
  isLevelEnabled?(level: 'debug'): boolean
}
