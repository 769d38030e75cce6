/** What a command does to the session beyond its reply. */
type Effect = 'leaves' | 'watches' | 'queues' | 'forgets' | 'selects' | 'configures' | 'waits' | 'may wait' | 'breaks'

/** All commands that have one. Subscriptions are known to the client itself. */
const EFFECTS: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ['WATCH', 'watches'],
  ['MULTI', 'queues'],
  ['EXEC', 'forgets'],
  ['DISCARD', 'forgets'],
  ['UNWATCH', 'forgets'],
  ['SELECT', 'selects'],
  ['CLIENT', 'configures'],
  ...['AUTH', 'HELLO', 'MONITOR', 'READONLY', 'READWRITE', 'ASKING', 'RESET'].map((name) => [name, 'leaves'] as const),
  ...['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE'].map((name) => [name, 'leaves'] as const),
  ...['SYNC', 'PSYNC'].map((name) => [name, 'breaks'] as const),
  ...['BLPOP', 'BRPOP', 'BRPOPLPUSH', 'BLMOVE', 'BLMPOP', 'BZPOPMIN', 'BZPOPMAX', 'BZMPOP', 'WAIT', 'WAITAOF'].map(
    (name) => [name, 'waits'] as const,
  ),
  ...['XREAD', 'XREADGROUP'].map((name) => [name, 'may wait'] as const),
])

/** What `CLIENT …` leaves; all else of it is about others, or asks. */
const CLIENT_LEAVES = new Set(['CACHING', 'SETNAME', 'TRACKING'])

/** What `CLIENT …` leaves and `RESET` of some versions as well. */
const SWITCHES = new Set(['NO-EVICT', 'NO-TOUCH'])

type Arguments = readonly unknown[]

/**
 * What is known of the traces that commands have left in a session: a transaction that was begun, keys that are
 * watched, another database or user, and the like; and how many commands wait in the server for something to come.
 */
export class RedisTraces {
  readonly #database: string
  #left = false
  #databaseChanged = false
  readonly #switches = new Set<string>()
  #watching = false
  #queueing = false
  #broken = false
  #waiting = 0

  /** @param database the one that a session begins with */
  constructor(database: number) {
    this.#database = String(database)
  }

  /** Whether there is something to undo. */
  get any(): boolean {
    return this.#left || this.#databaseChanged || this.#switches.size > 0 || this.#watching || this.#queueing
  }

  /** Whether another database was chosen than the one that the session began with. */
  get databaseChanged(): boolean {
    return this.#databaseChanged
  }

  /** What may have been turned on: `CLIENT … OFF` undoes it. */
  get switches(): readonly string[] {
    return [...this.#switches]
  }

  /** Whether replies can't be told apart any more. */
  get broken(): boolean {
    return this.#broken
  }

  /** How many commands wait in the server for something to come. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * @param inBatch whether it is part of a transaction or a pipeline, which may fail before its turn comes
   * @returns whether it is one that waits in the server: {@link endWait} has to follow.
   */
  see(args: Arguments, inBatch = false): boolean {
    const effect = EFFECTS.get(upper(args[0]))
    if (effect === undefined) return false
    this.#apply(effect, args, inBatch || this.#queueing)
    const waits = effect === 'waits' || (effect === 'may wait' && args.some((arg) => upper(arg) === 'BLOCK'))
    if (waits) this.#waiting++
    return waits
  }

  endWait(count = 1): void {
    this.#waiting -= count
  }

  /** A transaction has been carried out, all in one. */
  forgetWatch(): void {
    this.#watching = false
  }

  setLeft(): void {
    this.#left = true
  }

  /** The session is as it is to be. */
  clear(): void {
    this.#left = false
    this.#databaseChanged = false
    this.#switches.clear()
    this.#watching = false
    this.#queueing = false
  }

  #apply(effect: Effect, args: Arguments, inBatch: boolean): void {
    if (effect === 'watches') this.#watching = true
    else if (effect === 'queues') this.#queueing = true
    else if (effect === 'forgets') this.#forget(upper(args[0]))
    else if (effect === 'leaves') this.#left = true
    else if (effect === 'breaks') this.#broken = true
    else if (effect === 'configures') this.#configure(upper(args[1]), upper(args[2]))
    else if (effect === 'selects') this.#select(String(args[1]), inBatch)
  }

  /** Of one that may fail it is believed only that it leads away. */
  #select(database: string, inBatch: boolean): void {
    this.#databaseChanged = database !== this.#database || (inBatch && this.#databaseChanged)
  }

  #forget(name: string): void {
    this.#watching = false
    if (name !== 'UNWATCH') this.#queueing = false
  }

  #configure(what: string, value: string): void {
    // Commands that are not answered: each reply that follows would be taken for another one's.
    if (what === 'REPLY' && value !== 'ON') this.#broken = true
    if (CLIENT_LEAVES.has(what)) this.#left = true
    if (SWITCHES.has(what)) this.#switches.add(what)
  }
}

function upper(arg: unknown): string {
  return typeof arg === 'string' || arg instanceof Buffer ? arg.toString().toUpperCase() : ''
}
