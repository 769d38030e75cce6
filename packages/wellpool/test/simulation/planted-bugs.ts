import type { Kind } from './kinds.ts'

/** A mistake that could have been made: what the engine would say instead. */
export interface PlantedBug {
  readonly name: string
  /** The kind of runs that shows it. Default `mixed`. */
  readonly kind?: Kind
  /** In the engine's folder. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** One for each rule that the simulation is there to hold; it has to notice every one. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'suspects serve without a check',
    file: 'core.ts',
    find: 'generation.lastProvenAt < this.suspectSince ||',
    replace: '',
  },
  {
    name: 'an idle connection serves unverified',
    file: 'core.ts',
    find: '(unprovenFor >= this.options.verifyIdleAfter &&',
    replace: '(false &&',
  },
  {
    name: 'a connection serves on after a failed use',
    file: 'lending.ts',
    find: '    generation.lastProvenAt = -NEVER\n',
    replace: '',
  },
  {
    name: 'a connect that is given up stays open in the books',
    file: 'connector.ts',
    find: '        if (!end()) return\n        core.open--\n',
    replace: '        if (!end()) return\n',
  },
  {
    name: 'open is not decreased when a goodbye takes too long',
    file: 'closer.ts',
    find: '        if (destroy) this.#destroyClient(generation.client)\n        this.#end(generation)\n',
    replace: '        if (destroy) this.#destroyClient(generation.client)\n        else this.#end(generation)\n',
  },
  {
    name: 'a goodbye that comes after its time-out is counted again',
    file: 'closer.ts',
    find: '        if (!this.#closing.delete(generation)) return\n',
    replace: '        this.#closing.delete(generation)\n',
  },
  {
    name: 'a client is destroyed although its goodbye has succeeded',
    file: 'closer.ts',
    find: '        () => end(false),\n        () => end(true),\n',
    replace: '        () => end(true),\n        () => end(true),\n',
  },
  {
    name: 'a goodbye that fails is not followed by destroy',
    file: 'closer.ts',
    find: '        () => end(false),\n        () => end(true),\n',
    replace: '        () => end(false),\n        () => end(false),\n',
  },
  {
    name: 'a late client is not destroyed',
    file: 'connector.ts',
    find: 'return this.#closer.destroyStray(client)',
    replace: 'return',
  },
  {
    name: 'a client that is present already is taken again',
    file: 'connector.ts',
    find: 'if (this.#core.clients.has(client)) return',
    replace: 'if (false) return',
  },
  {
    name: 'what watch throws is ignored',
    file: 'connector.ts',
    find: "if (broken !== undefined || arrived.status !== 'live') {",
    replace: "if (arrived.status !== 'live') {",
  },
  {
    name: 'maxConnecting is ignored',
    file: 'connector.ts',
    find: 'Math.min(this.#allowance, this.#core.options.maxConnecting)',
    replace: 'this.#allowance',
  },
  {
    name: 'half-open lets a second connect run',
    file: 'connector.ts',
    find: "    this.giveUpAll()\n    this.#core.events.emit('breakerHalfOpened', {})",
    replace: "    this.#core.events.emit('breakerHalfOpened', {})",
  },
  {
    name: 'after an outage the pool starts all at once',
    file: 'connector.ts',
    find: '    this.#allowance = 1\n',
    replace: '',
  },
  {
    name: 'the backoff is zero',
    file: 'backoff.ts',
    find: 'return this.#share * Math.min(',
    replace: 'return 0 * Math.min(',
  },
  {
    name: 'the backoff has no jitter',
    file: 'backoff.ts',
    find: 'this.#share = random()',
    replace: 'this.#share = random() < 0 ? 0 : 1',
  },
  {
    name: 'the jitter of maxLifetime is none',
    file: 'upkeep.ts',
    find: '(1 - options.maxLifetimeJitter * options.random())',
    replace: '(1 - options.maxLifetimeJitter / 2)',
  },
  {
    name: 'who came last is served first',
    file: 'wait-queue.ts',
    find: '  get head(): Waiter<Value> | undefined {\n    return this.#waiters.head\n',
    replace: '  get head(): Waiter<Value> | undefined {\n    return this.#waiters.tail\n',
  },
  {
    name: 'an aborted waiter stays in the queue',
    file: 'wait-queue.ts',
    find: 'if (this.remove(waiter)) aborted(waiter)',
    replace: 'aborted(waiter)',
  },
  {
    name: 'a listener is left on the signal of who was served',
    file: 'wait-queue.ts',
    find: '      offAbort(signal, whenAborted)\n',
    replace: '',
  },
  {
    name: 'a paused pool hands out',
    file: 'engine.ts',
    find: "if (this.core.state === 'running' || this.core.state === 'draining') {",
    replace: 'if (!this.core.ended) {',
  },
  {
    name: 'the mark is lost when a rebuild fails',
    file: 'rebuild-manager.ts',
    find: '    this.#retryLater(task)\n    core.changed()\n',
    replace: '    this.#forget(task)\n    connection.mark = undefined\n    connection.rebuild = undefined\n    core.changed()\n',
  },
  {
    name: 'a later reason takes the place of the first',
    file: 'rebuild-manager.ts',
    find: '{ ...before, urgent }',
    replace: '{ kind, detail, urgent }',
  },
  {
    name: 'the generation stays over a swap',
    file: 'connector.ts',
    find: '(connection.current?.number ?? 0) + 1',
    replace: '(connection.current?.number ?? 1)',
  },
  {
    name: 'a successor takes its place unchecked',
    file: 'rebuild-manager.ts',
    find: 'if (task.needsCheck) this.#checkCandidate(task, generation)',
    replace: 'if (task.needsCheck && task.startedAt < 0) this.#checkCandidate(task, generation)',
  },
  {
    name: 'successors know no limit',
    file: 'planner.ts',
    find: 'return surgeRoom ? this.#host.rebuilds.nextPlanned() : undefined',
    replace: 'return this.#host.rebuilds.nextPlanned()',
  },
  {
    name: 'a borrowed client is closed at the swap',
    file: 'rebuild-manager.ts',
    find: '} else if (old.leases > 0) {',
    replace: '} else if (old.leases > 99) {',
  },
  {
    name: 'a retired client is never closed',
    file: 'lending.ts',
    find: "if (generation.status === 'retired' && generation.leases === 0)",
    replace: "if (generation.status === 'retired' && generation.leases > 0)",
  },
  {
    name: 'a loss during a planned rebuild drops the successor',
    file: 'rebuild-manager.ts',
    find: '      // A planned rebuild is under way: the successor is kept.\n',
    replace: "      this.#dropCandidate(task, 'rebuild_failed', 'destroy')\n      task.connect?.giveUp()\n",
  },
  {
    name: 'an urgent mark leaves the connection in service',
    file: 'rebuild-manager.ts',
    find: '    if (urgent) this.#leaveService(task)\n',
    replace: '',
  },
  {
    name: 'without surge all may leave at once',
    file: 'rebuild-queue.ts',
    find: 'Math.max(1, Math.floor(options.maxUnavailable * size))',
    replace: 'size',
  },
  {
    name: 'a connection that is being checked stays among the idle',
    file: 'health-monitor.ts',
    find: "      core.idle.remove(connection)\n      core.setState(connection, 'checking')\n",
    replace: "      core.setState(connection, 'checking')\n",
  },
  {
    name: 'failed checks make nobody a suspect',
    file: 'health-monitor.ts',
    find: 'if (isNews && !core.panic) core.suspectAll()',
    replace: '',
  },
  {
    name: 'unhealthy connections are left as they are',
    file: 'health-monitor.ts',
    find: '    else this.condemn(',
    replace: '    else if (connection.failures < 0) this.condemn(',
  },
  {
    name: 'the pool never panics',
    file: 'panic.ts',
    find: 'failing > panicThreshold * size',
    replace: 'failing > 99',
  },
  {
    name: 'evict overlooks what is connecting',
    file: 'lifecycle.ts',
    find: '    connector.evict(interruptInUse)\n',
    replace: '',
  },
  {
    name: 'a timer is left after close',
    file: 'engine.ts',
    find: '    this.upkeep.stop()\n',
    replace: '',
  },
  {
    name: 'idleTimeout ignores minConnections',
    file: 'upkeep.ts',
    find: 'let surplus = this.#core.size - options.minConnections',
    replace: 'let surplus = this.#core.size',
  },
  {
    name: 'maxUses is not looked at on release',
    file: 'lending.ts',
    find: 'if (generation.uses >= core.options.maxUses) upkeep.evaluate(connection)',
    replace: '',
  },
  {
    name: 'a sleep goes unnoticed',
    file: 'wake-detector.ts',
    find: 'for (const listener of [...this.#listeners]) listener()',
    replace: '',
  },
  {
    name: 'time-outs are decided before sockets are read',
    file: 'clock.ts',
    find: 'clock.afterPoll(() => this.#decide())',
    replace: 'this.#decide()',
  },
  {
    name: 'a use does not hear that its client is lost',
    file: 'use.ts',
    find: '      queueMicrotask(() => fail(error))\n',
    replace: '',
  },
  {
    name: 'closing leaves those who wait to their time-outs',
    file: 'lifecycle.ts',
    find: '    this.#refuseAll(error)\n    this.refuseStart(error)\n',
    replace: '    this.refuseStart(error)\n',
  },
  {
    name: 'a pool that is removed stays in its set',
    kind: 'pools',
    file: 'pools.ts',
    find: '    this.#pools.delete(name)\n',
    replace: '',
  },
  {
    name: 'the events of a pool that is added later are not heard',
    kind: 'pools',
    file: 'pools.ts',
    find: 'for (const { name: event, listener } of this.#listeners) pool.on(event, listener as Listener<EventName>)',
    replace: '',
  },
  {
    name: 'a set that is closed takes in more pools',
    kind: 'pools',
    file: 'pools.ts',
    find: "if (this.#closed) throw new PoolClosedError('this set of pools is closed')",
    replace: '',
  },
  {
    name: 'the first pool of a set is left open when it is closed',
    kind: 'pools',
    file: 'pools.ts',
    find: '    const ends = [...this.#pools.values()].map(end)\n',
    replace: '    const ends = [...this.#pools.values()].slice(1).map(end)\n',
  },
  {
    name: 'what is added to a set that runs is not started',
    kind: 'pools',
    file: 'pools.ts',
    find: 'if (this.#started) pool.start().catch(() => {})',
    replace: '',
  },
  {
    name: 'a rebuild of one protocol rebuilds all of them',
    kind: 'pools',
    file: 'pools.ts',
    find: 'filter((pool) => pool.protocol === protocol)',
    replace: 'filter((pool) => pool.protocol !== undefined)',
  },
  {
    name: 'a client is condemned by what is not known',
    file: 'second-opinions.ts',
    find: "    if (opinion === 'gone') {",
    replace: "    if (opinion !== 'working') {",
  },
  {
    name: 'proof that a client is gone is ignored',
    file: 'second-opinions.ts',
    find: "    if (opinion === 'gone') {",
    replace: "    if (opinion === 'gone' && silentFor < 0) {",
  },
]
