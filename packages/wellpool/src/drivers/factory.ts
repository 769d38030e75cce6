import type { CheckContext, ConnectContext, Driver, ErrorClass, Watcher } from '../engine/driver.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import { refuseUnknown } from '../shared/option-rules.ts'

/** What makes clients, looks at them and ends them: what most pools want to be told. */
export interface Factory<Client> {
  /**
   * Makes a client that is ready for use; the pool owns it from now on. A client that arrives after `signal` was
   * aborted is destroyed.
   */
  create(context: ConnectContext): Client | PromiseLike<Client>

  /** Ends a client. Called once for each that was created. That it fails is ignored: there is nothing left to do. */
  destroy(client: Client): unknown

  /**
   * Looks whether a client still works; a round trip to its peer says more than a look at its state. Default: what
   * was created works.
   *
   * - Returns or fulfils with `false`: the client is of no more use and is replaced at once.
   * - Rejects or throws: one failed check more, as {@link Driver.check} has it.
   * - Anything else: it works.
   */
  validate?(client: Client, context: CheckContext): unknown

  /** As {@link Driver.watch}: says when a client is lost without anybody asking. */
  watch?(client: Client, watcher: Watcher): void

  /** As {@link Driver.reset}: brings a client back into the state that `create` left it in. */
  reset?(client: Client): unknown

  /** As {@link Driver.classify}. Default: every error is `transient`. */
  classify?(error: unknown): ErrorClass
}

/** What a driver from a factory is called. */
export interface FactoryDriverOptions {
  /** The driver's protocol. A text that is not empty. Default `factory`. */
  protocol?: string | undefined
}

/**
 * The driver for whatever a factory makes: browsers, workers, clients of a protocol that has no driver of its own.
 *
 * `close` and `destroy` both call the factory's `destroy`, once for each client; `close` waits for it.
 *
 * @throws ConfigError when the factory lacks a function, or has something else in its place, and for an unknown option
 * @example
 * const browsers = createPool(
 *   fromFactory({ create: () => launch(), destroy: (browser) => browser.close(), validate: (browser) => browser.connected }),
 *   { maxConnections: 4 },
 * )
 */
export function fromFactory<Client>(factory: Factory<Client>, options: FactoryDriverOptions = {}): Driver<Client> {
  refuseUnknown(options, ['protocol'])
  const { protocol = 'factory' } = options
  const problems = problemsOf(factory, protocol)
  if (problems.length > 0) throw new ConfigError(problems)
  const watchers = new Map<Client, Watcher>()
  /** The clients that are being closed: a `destroy` that follows, because it failed or takes too long, has nothing to do. */
  const closing = new Set<Client>()
  return {
    protocol,
    async connect(context) {
      context.signal.throwIfAborted()
      return factory.create(context)
    },
    async check(client, context) {
      if ((await factory.validate?.(client, context)) !== false) return
      const error = new Error('the factory says that the client is no longer valid')
      watchers.get(client)?.lost(error)
      throw error
    },
    watch(client, watcher) {
      watchers.set(client, watcher)
      factory.watch?.(client, watcher)
    },
    async close(client) {
      watchers.delete(client)
      closing.add(client)
      await factory.destroy(client)
      closing.delete(client)
    },
    destroy(client) {
      watchers.delete(client)
      if (closing.delete(client)) return
      // Nobody waits for it, and a rejection that nobody hears would end the process.
      Promise.resolve(factory.destroy(client)).catch(() => {})
    },
    ...(factory.reset !== undefined && { reset: (client) => factory.reset?.(client) }),
    ...(factory.classify !== undefined && { classify: (error) => factory.classify?.(error) ?? 'transient' }),
  }
}

function problemsOf(factory: unknown, protocol: unknown): ConfigProblem[] {
  if (factory === null || typeof factory !== 'object') {
    return [{ path: 'factory', given: factory === null ? 'null' : typeof factory, allowed: 'an object with create and destroy' }]
  }
  const problems: ConfigProblem[] = []
  for (const name of ['create', 'destroy', 'validate', 'watch', 'reset', 'classify']) {
    const given = (factory as Record<string, unknown>)[name]
    const isNeeded = name === 'create' || name === 'destroy'
    if (typeof given === 'function' || (given === undefined && !isNeeded)) continue
    problems.push({ path: `factory.${name}`, given: typeof given, allowed: isNeeded ? 'a function' : 'a function, or absent' })
  }
  if (typeof protocol !== 'string' || protocol === '') {
    problems.push({ path: 'protocol', given: protocol === '' ? 'an empty text' : typeof protocol, allowed: 'a text that is not empty' })
  }
  return problems
}
