/** A statement's answer that is no rows: mysql2 hands on the flags that the server sends with it. */
export interface MysqlOk {
  readonly serverStatus?: number
}

/** What mysql2 makes of one statement, as far as it matters here. */
export interface MysqlCommand {
  /** Of a query and of the execution of a prepared statement. */
  readonly sql?: unknown
  /** Of a preparation. */
  readonly query?: unknown
  /** Of the execution of a statement that was prepared by hand. */
  readonly statement?: { readonly query?: unknown } | undefined
  /** Sends it, and then takes the server's answer, one packet after the other. */
  execute(packet: MysqlPacket | undefined, connection: unknown): unknown
  on(event: 'result', listener: (ok: MysqlOk | null, index?: number) => void): unknown
}

/** A part of the server's answer. */
export interface MysqlPacket {
  isError(): boolean
  /** Whether it ends columns or rows. */
  isEOF(): boolean
  eofStatusFlags(): number
}

const IN_TRANSACTION = 0x0001
const AUTOCOMMIT = 0x0002
const STATE_CHANGED = 0x4000

/** What runs statements of its own: when one of them fails, what the others have left is not reported with the error. */
const RUNS_OTHERS = /\b(?:call|execute|not\s+atomic)\b/i

/** What statements that write rows begin with: they may be megabytes long, and leave nothing but rows. */
const WRITES_ROWS = /^\s*(?:insert|replace|load)\b/i

/**
 * What the servers don't report as a change of the session: locks that outlive transactions, user variables set
 * within an expression, cursors, and what is set for the next transaction alone. In lower case.
 */
const LEAVES_UNREPORTED = new RegExp(
  [
    String.raw`get_(?:read_|write_)?locks?\b`,
    String.raw`\block\s+(?:tables?|instance)\b`,
    String.raw`\bwith\s+read\s+lock\b`,
    String.raw`\bbackup\s+(?:stage|lock)\b`,
    String.raw`\bhandler\s+\S+\s+open\b`,
    String.raw`\bset\s+transaction\b`,
    String.raw`\binto\s+@`,
    ':=',
  ].join('|'),
)

/** One of these is part of each of them. To look for them takes a tenth of the time, and most statements have none. */
const HINTS = ['lock', 'backup', 'handler', 'transaction', '@', ':=']

/**
 * What is known of the traces that statements have left in a session: an open transaction, and whether anything else
 * has changed. The servers report most of that with each answer (since MySQL 5.7 and MariaDB 10.2, once told to by
 * `session_track_state_change`); the rest is told by the statement's text.
 */
export class MysqlTraces {
  readonly #multiple: boolean
  #untouched = true
  #changed = false
  #inTransaction = false
  #autocommit = true
  #reported = true

  /** @param multiple whether a text may have several statements */
  constructor(multiple = false) {
    this.#multiple = multiple
  }

  /** Whether no statement has been seen since the last {@link clear}. */
  get untouched(): boolean {
    return this.#untouched
  }

  /** Whether something other than an open transaction may be left. */
  get changed(): boolean {
    return this.#changed
  }

  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /** Whether the server says when a statement has changed the session. */
  get reported(): boolean {
    return this.#reported
  }

  /**
   * Learns from the answer to the statement that turns the reports on: a server that does report says so at once. It
   * also tells whether the session commits by itself, as the server may be set up not to.
   */
  learn(ok: MysqlOk | null): void {
    const status = ok?.serverStatus ?? 0
    this.#reported = (status & STATE_CHANGED) !== 0
    this.#autocommit = (status & AUTOCOMMIT) !== 0
  }

  /** The server has no reports: every statement may leave something. */
  expectNoReports(): void {
    this.#reported = false
  }

  /** Looks at a command on its way to the server, and waits for its answer. One without a text leaves nothing. */
  see(command: MysqlCommand): void {
    const text = command.sql ?? command.query ?? command.statement?.query
    if (typeof text !== 'string') return
    this.#untouched = false
    if (!this.#reported || leavesUnreported(text, this.#multiple)) this.#changed = true
    command.on('result', this.#hear)
    const { execute } = command
    // mysql2 tells nobody with what flags rows end.
    command.execute = (packet, connection) => {
      if (packet?.isError()) this.#hearError(text)
      else if (packet?.isEOF()) this.#hearStatus(packet.eofStatusFlags())
      return execute.call(command, packet, connection)
    }
  }

  /** What only a new session can undo has been done. */
  setChanged(): void {
    this.#untouched = false
    this.#changed = true
  }

  /** The session is as it is to be. */
  clear(): void {
    this.#untouched = true
    this.#changed = false
    this.#inTransaction = false
  }

  /** With an index it is a row. */
  readonly #hear = (ok: MysqlOk | null, index?: number): void => {
    const status = index === undefined ? ok?.serverStatus : undefined
    if (typeof status === 'number') this.#hearStatus(status)
  }

  #hearStatus(status: number): void {
    this.#inTransaction = (status & IN_TRANSACTION) !== 0
    this.#autocommit = (status & AUTOCOMMIT) !== 0
    if ((status & STATE_CHANGED) !== 0) this.#changed = true
  }

  /** Errors come without flags. Where a session commits by itself, a plain statement that fails leaves nothing. */
  #hearError(text: string): void {
    if (RUNS_OTHERS.test(text)) this.#changed = true
    else if (!this.#autocommit) this.#inTransaction = true
  }
}

function leavesUnreported(text: string, multiple: boolean): boolean {
  if (WRITES_ROWS.test(text) && !(multiple && text.includes(';'))) return false
  const lower = text.toLowerCase()
  return HINTS.some((hint) => lower.includes(hint)) && LEAVES_UNREPORTED.test(lower)
}
