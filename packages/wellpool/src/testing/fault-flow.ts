import { connect, type Socket } from 'node:net'
import type { Fault, FlowDirection, ProxyFlow } from './fault.ts'
import { FaultPipe } from './fault-pipe.ts'

/** One accepted client, its connection to the server, and a pipe in each direction. */
export class FaultFlow {
  readonly id: number
  readonly #client: Socket
  readonly #clientPort: number
  readonly #toServer: FaultPipe
  readonly #target: { readonly host: string; readonly port: number }
  readonly #random: () => number
  readonly #changed: () => void
  #toClient: FaultPipe | undefined
  #server: Socket | undefined
  #serverSidePort: number | undefined
  #clientOpen = true
  #serverOpen = false

  /** @param changed called whenever {@link FaultFlow.info} or {@link FaultFlow.over} may have changed. */
  constructor(id: number, client: Socket, target: { host: string; port: number }, random: () => number, changed: () => void) {
    this.id = id
    this.#client = client
    this.#clientPort = client.remotePort ?? 0
    this.#target = target
    this.#random = random
    this.#changed = changed
    this.#toServer = new FaultPipe(client, random, changed)
    const gone = (): void => {
      this.#clientOpen = false
      changed()
    }
    client.on('end', () => {
      gone()
      // It has never been answered: there is nobody to pass its goodbye on to.
      if (this.#server === undefined) client.destroy()
    })
    client.on('error', gone)
    client.on('close', () => {
      this.#toClient?.discard()
      gone()
    })
  }

  get info(): ProxyFlow {
    return {
      id: this.id,
      clientPort: this.#clientPort,
      serverSidePort: this.#serverSidePort,
      toServer: this.#toServer.count,
      toClient: this.#toClient?.count ?? { received: 0, delivered: 0 },
      clientOpen: this.#clientOpen,
      serverOpen: this.#serverOpen,
    }
  }

  /** Whether both sockets are closed. */
  get over(): boolean {
    return this.#client.closed && (this.#server === undefined || this.#server.closed)
  }

  /** Replaces the faults, and connects to the server unless one of them forbids it. */
  setFaults(faults: readonly Fault[]): void {
    this.#toServer.setFaults(inDirection(faults, 'to-server'))
    if (this.#server === undefined && !faults.some(({ kind }) => kind === 'unanswered')) this.#reachServer()
    this.#toClient?.setFaults(inDirection(faults, 'to-client'))
  }

  /** Both sides get an RST. */
  reset(): void {
    this.#client.resetAndDestroy()
    // A reset would wait for a connect that is still under way.
    if (this.#server?.connecting === true) this.#server.destroy()
    else this.#server?.resetAndDestroy()
  }

  /** Closes both sockets. */
  destroy(): void {
    this.#client.destroy()
    this.#server?.destroy()
  }

  #reachServer(): void {
    if (this.#client.destroyed) return
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true })
    this.#server = server
    this.#toClient = new FaultPipe(server, this.#random, this.#changed)
    this.#toClient.open(this.#client)
    server.once('connect', () => {
      this.#serverOpen = true
      this.#serverSidePort = server.localPort
      this.#toServer.open(server)
      this.#changed()
    })
    const gone = (): void => {
      this.#serverOpen = false
      this.#changed()
    }
    server.on('end', gone)
    server.on('error', gone)
    server.on('close', () => {
      this.#toServer.discard()
      gone()
    })
  }
}

function inDirection(faults: readonly Fault[], direction: FlowDirection): Fault[] {
  return faults.filter((fault) => !('direction' in fault) || fault.direction === undefined || fault.direction === direction)
}
