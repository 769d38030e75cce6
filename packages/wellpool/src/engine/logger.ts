/** Where the pool writes what it decides: an object with the facts first, then a sentence, as pino has it. */
export interface Logger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}
