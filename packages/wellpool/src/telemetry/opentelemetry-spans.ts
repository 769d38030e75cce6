import {
  type Attributes,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { copyError } from '../engine/redact.ts'
import type { ConnectContext, ConnectionEvent, Driver, Reason } from '../index.ts'
import type { PoolSource } from '../shared/observed-pools.ts'
import { POOL_NAME, PROTOCOL } from './opentelemetry-metrics.ts'

type Hook = Exclude<keyof Driver<unknown>, 'protocol' | 'connect' | 'defaults' | 'maxLeasesPerConnection'>

/** Every hook beside connect: one that is left out would be lost to the pool. */
const HOOKS = Object.keys({
  check: 0,
  close: 0,
  destroy: 0,
  reset: 0,
  watch: 0,
  ref: 0,
  unref: 0,
  secondOpinion: 0,
  mayAskAbout: 0,
  classify: 0,
  secrets: 0,
} satisfies Record<Hook, 0>) as readonly Hook[]

type RebuildStarted = ConnectionEvent & { readonly reason: Reason; readonly urgent: boolean }

/**
 * Makes spans of connects and rebuilds. They begin traces of their own, because they outlast the request that needed
 * them, and are linked to it.
 */
export class PoolSpans {
  readonly #tracer: Tracer
  /** Of the rebuilds under way, by the connection's id. */
  readonly #rebuilds = new Map<string, { readonly started: RebuildStarted; readonly span: Span }>()
  /** Whose doing it was that a connection is marked, by its id. */
  readonly #causes = new Map<string, Link[]>()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  /** The same driver, with a span around each connect. */
  traceConnects<Client>(driver: Driver<Client>): Driver<Client> {
    const traced: Record<string, unknown> = {
      protocol: driver.protocol,
      connect: (connect: ConnectContext) => this.#connect(driver, connect),
    }
    if (driver.defaults !== undefined) traced.defaults = driver.defaults
    if (driver.maxLeasesPerConnection !== undefined) traced.maxLeasesPerConnection = driver.maxLeasesPerConnection
    for (const hook of HOOKS) {
      const method = driver[hook] as ((...args: unknown[]) => unknown) | undefined
      if (method !== undefined) traced[hook] = method.bind(driver)
    }
    return traced as unknown as Driver<Client>
  }

  /** @returns a function that ends it */
  observe(source: PoolSource): () => void {
    const off = [
      source.on('rebuildMarked', ({ connectionId }) => {
        const links = linksToActive()
        if (links.length > 0) this.#causes.set(connectionId, links)
        // A mark that was taken back has told nobody.
        else this.#causes.delete(connectionId)
      }),
      source.on('rebuildStarted', (event) => this.#begin(event)),
      source.on('rebuildCompleted', ({ connectionId, newGeneration, timestamp }) => {
        this.#end(connectionId, timestamp, (span) => span.setAttribute('wellpool.connection.generation', newGeneration))
        this.#causes.delete(connectionId)
      }),
      source.on('rebuildFailed', ({ connectionId, stage, error, timestamp }) => {
        this.#end(connectionId, timestamp, (span) => {
          span.setAttribute('wellpool.rebuild.stage', stage)
          fail(span, error)
        })
      }),
      source.on('connectionClosed', ({ connectionId, reason }) => {
        if (reason !== 'rebuilt') this.#causes.delete(connectionId)
      }),
    ]
    return () => {
      for (const end of off) end()
    }
  }

  async #connect<Client>(driver: Driver<Client>, connect: ConnectContext): Promise<Client> {
    const links = linksToActive()
    // The event that a rebuild has begun comes in a microtask that is queued already.
    await undefined
    const rebuild = this.#rebuilds.get(connect.connectionId)?.span
    const parent = rebuild === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, rebuild)
    const attributes: Attributes = {
      [PROTOCOL]: driver.protocol,
      'wellpool.connection.id': connect.connectionId,
      'wellpool.connect.attempt': connect.attempt,
    }
    const span = this.#tracer.startSpan('wellpool.connect', { kind: SpanKind.CLIENT, attributes, links }, parent)
    try {
      return await context.with(trace.setSpan(parent, span), () => driver.connect(connect))
    } catch (error) {
      fail(span, copyError(error, secretsOf(driver)))
      throw error
    } finally {
      span.end()
    }
  }

  #begin(started: RebuildStarted): void {
    const { connectionId, generation, pool, protocol, reason, urgent, timestamp } = started
    // A pool may be observed by itself and with its set.
    if (this.#rebuilds.get(connectionId)?.started === started) return
    const attributes: Attributes = {
      [POOL_NAME]: pool,
      [PROTOCOL]: protocol,
      'wellpool.connection.id': connectionId,
      'wellpool.connection.generation': generation,
      'wellpool.reason': reason.kind,
      'wellpool.reason.detail': reason.detail,
      'wellpool.rebuild.urgent': urgent,
    }
    const links = this.#causes.get(connectionId) ?? []
    const span = this.#tracer.startSpan('wellpool.rebuild', { startTime: timestamp, attributes, links }, ROOT_CONTEXT)
    this.#rebuilds.set(connectionId, { started, span })
  }

  #end(connectionId: string, endTime: number, finish: (span: Span) => void): void {
    const rebuild = this.#rebuilds.get(connectionId)
    if (rebuild === undefined) return
    this.#rebuilds.delete(connectionId)
    finish(rebuild.span)
    rebuild.span.end(endTime)
  }
}

/** The request in whose course this happens, if there is one. */
function linksToActive(): Link[] {
  const active = trace.getSpanContext(context.active())
  return active === undefined ? [] : [{ context: active }]
}

function fail(span: Span, error: Error): void {
  span.recordException(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
}

function secretsOf(driver: Driver<unknown>): readonly string[] {
  return driver.secrets?.() ?? []
}
