import type { Connection } from './connection.ts'
import { LinkedList } from './linked-list.ts'

/** The connections that could take a lease, the healthy ones apart from the degraded. */
export class IdleStore<Client> {
  readonly #healthy = new LinkedList<Connection<Client>>()
  readonly #degraded = new LinkedList<Connection<Client>>()
  #lifo: boolean

  constructor(order: 'lifo' | 'fifo') {
    this.#lifo = order === 'lifo'
  }

  get size(): number {
    return this.#healthy.size + this.#degraded.size
  }

  /** The healthy connection that serves next. */
  get head(): Connection<Client> | undefined {
    return this.#healthy.head
  }

  /** Those whose last check has failed or was slow. */
  get degraded(): Iterable<Connection<Client>> {
    return this.#degraded
  }

  setOrder(order: 'lifo' | 'fifo'): void {
    this.#lifo = order === 'lifo'
  }

  /** Adds a connection that has been released; one that is here already stays where it is. */
  add(connection: Connection<Client>): void {
    if (connection.list !== undefined) return
    const list = connection.health === 'degraded' || connection.health === 'unhealthy' ? this.#degraded : this.#healthy
    if (this.#lifo) list.pushFront(connection)
    else list.pushBack(connection)
  }

  remove(connection: Connection<Client>): void {
    if (connection === this.#healthy.head) this.#healthy.removeHead()
    else if (!this.#healthy.remove(connection)) this.#degraded.remove(connection)
  }

  /** Moves a connection whose health has changed to where it belongs now. */
  refile(connection: Connection<Client>): void {
    if (connection.list === undefined) return
    this.remove(connection)
    this.add(connection)
  }

  /** Healthy ones first, each in the order in which they serve. Members may be removed meanwhile. */
  *[Symbol.iterator](): Iterator<Connection<Client>> {
    yield* this.#healthy
    yield* this.#degraded
  }
}
