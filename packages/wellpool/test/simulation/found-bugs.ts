import type { PlantedBug } from './planted-bugs.ts'

/** A bug that the engine once had, how to put it back, and the seed that has to find it then. */
export interface FoundBug extends PlantedBug {
  readonly seed: number
}

/**
 * The bugs of the engine that the simulation has found. A bug gets its seed first and then its fix. If the seed no
 * longer shows the bug, because the engine or the simulation has changed, another seed takes its place: `npm run
 * simulate -- --bug 'name'` looks for one.
 */
export const FOUND_BUGS: readonly FoundBug[] = [
  {
    name: 'a rebuild does not begin when a check of its connection settles after its time-out',
    seed: 9649,
    file: 'health-monitor.ts',
    find: '    // Also where it may not serve: a rebuild that was decided meanwhile may begin now.\n    this.#core.changed()\n',
    replace: '',
  },
  {
    name: 'a client that is proven by a release, and has room for several, serves one',
    seed: 5374,
    file: 'lending.ts',
    find: '        if (generation.leases < core.maxLeases) core.makeAvailable(connection)\n        return\n',
    replace:
      '        if (free) {\n          if (generation.leases < core.maxLeases) core.makeAvailable(connection)\n          return\n        }\n        if (generation.leases < core.maxLeases) core.idle.add(connection)\n        return\n',
  },
  {
    name: 'a timer is left after a close that cuts a drain short',
    seed: 9562,
    file: 'clock.ts',
    find: '    if (this.#ended) this.#free()\n',
    replace: '    if (this.#held < 0) this.#free()\n',
  },
  {
    name: 'a batch puts a listener on its signal for each connection',
    seed: 44,
    file: 'manual-rebuilds.ts',
    find: '          task.listeners.add(listener)\n        }\n',
    replace: "          task.listeners.add(listener)\n          signal?.addEventListener('abort', () => {}, { once: true })\n        }\n",
  },
  {
    name: 'a close in the middle of a rebuild is told to nobody',
    seed: 20,
    file: 'rebuild-manager.ts',
    find: 'const result = task.begun ? tellEnd(',
    replace: 'const result = task.begun && !closing ? tellEnd(',
  },
  {
    name: 'a rebuild whose successor is evicted starts twice',
    seed: 193,
    file: 'rebuild-manager.ts',
    find: 'if (!task.begun) tellStarted(',
    replace: 'tellStarted(',
  },
  {
    name: 'checks of successors are not counted',
    seed: 2,
    file: 'client-check.ts',
    find: '      count(core, result)\n',
    replace: '      if (generation.connection.current === generation) count(core, result)\n',
  },
  {
    name: 'who waits for a check that has failed waits for healthRecheckInterval',
    seed: 261,
    file: 'planner.ts',
    find: 'lastFailedAt + Math.min(healthRecheckInterval, backoff.maxWhileWaited)',
    replace: 'lastFailedAt + Math.max(healthRecheckInterval, backoff.maxWhileWaited)',
  },
  {
    name: 'a client that is asked about others is free again while questions are under way',
    seed: 482,
    file: 'second-opinions.ts',
    find: 'const failed = (await Promise.allSettled(questions))',
    replace: 'await Promise.all(questions)\n    const failed = (await Promise.allSettled(questions))',
  },
  {
    name: 'all questions over one client share its signal',
    seed: 5,
    file: 'second-opinions.ts',
    find: 'signal: controller.signal, limit',
    replace: 'signal, limit',
  },
  {
    name: 'one that is still connecting counts as surplus',
    seed: 204,
    file: 'planner.ts',
    find: 'let surplus = core.size - core.options.maxConnections',
    replace: 'let surplus = core.places - core.options.maxConnections',
  },
  {
    name: 'a connection to ask over takes the room of a rebuild without surge',
    seed: 115,
    file: 'planner.ts',
    find: 'const roomBeside = surgeRoom && core.places < maxConnections + rebuildMaxSurge',
    replace: 'const roomBeside = surgeRoom',
  },
  {
    name: 'a lease that has only begun is asked about, because the one before it was silent',
    seed: 1434,
    file: 'second-opinions.ts',
    find: ' || generation.inquiry?.uses !== generation.uses) this.#unasked.delete(generation)',
    replace: ') this.#unasked.delete(generation)',
  },
  {
    name: 'a timer that is longer than timers can be fires at once',
    kind: 'clocks',
    seed: 13,
    file: 'clock.ts',
    find: 'const ms = Math.min(MAX_DELAY, Math.max(0, Math.ceil(delay)))',
    replace: 'const ms = Math.max(0, Math.ceil(delay))',
  },
  {
    name: 'a client is asked about that has been closed meanwhile',
    seed: 6821,
    file: 'planner.ts',
    find: "else if (purpose === 'opinion' && this.#host.opinions.pending)",
    replace: "else if (purpose === 'opinion')",
  },
  {
    name: 'a connection comes of age unnoticed when its timer is early',
    seed: 216,
    file: 'upkeep.ts',
    find: 'if (left > 0) connection.age?.set(left)\n    else this.evaluate(connection)',
    replace: 'if (left > -99999999999) this.evaluate(connection)',
  },
  {
    name: 'what is being checked when its idleTimeout is over stays open',
    kind: 'storms',
    seed: 8,
    file: 'upkeep.ts',
    find: "if (state === 'idle' && size > options.minConnections && clock.now() - idleSince >= options.idleTimeout) this.#idle.set(1)",
    replace: "if (state === 'idle' && size > options.minConnections && clock.now() - idleSince < 0) this.#idle.set(1)",
  },
  {
    name: 'the idle time of a connection in a check is forgotten',
    seed: 30,
    file: 'upkeep.ts',
    find: 'if (surplus > 0 && left > 0) next = Math.min(next, left)',
    replace: 'if (surplus > 0 && left > 99999999999) next = Math.min(next, left)',
  },
  {
    name: 'what came of age while a batch had marked it is forgotten',
    seed: 357,
    file: 'manual-rebuilds.ts',
    find: '      upkeep.evaluate(task.connection)\n',
    replace: '',
  },
  {
    name: 'a failed check is not repeated for who waits once it counts no more for a panic',
    seed: 53713,
    file: 'planner.ts',
    find: 'for (const connection of core.idle.degraded) {\n      const retryAt',
    replace: 'for (const connection of core.failing) {\n      const retryAt',
  },
  {
    name: 'a connection with room beside its leases serves nobody more when it is well again',
    seed: 38932,
    kind: 'storms',
    file: 'health-monitor.ts',
    find: "(state === 'idle' || state === 'acquired')) this.#core",
    replace: "state === 'idle') this.#core",
  },
  {
    name: 'an urgent rebuild waits while planned ones take the room',
    seed: 34032,
    file: 'planner.ts',
    find: '    if (surgeRoom) {\n      const rebuild = this.#host.rebuilds.nextOutOfService()',
    replace: '    if (room) {\n      const rebuild = this.#host.rebuilds.nextOutOfService()',
  },
]
