/**
 * Flags of node for a process whose heap is looked at over a long time. Code that is optimized, or thrown away when it was
 * not used for a while, grows and shrinks by more than any leak would show in an hour.
 */
export const STEADY_HEAP_FLAGS = ['--expose-gc', '--no-opt', '--no-flush-bytecode', '--single-threaded-gc']

/** Bytes of the heap, after everything that can go has gone. Needs `node --expose-gc`. */
export async function heapUsed(): Promise<number> {
  await collectGarbage()
  return process.memoryUsage().heapUsed
}

/** The same with what the heap holds outside of itself: the buffers of sockets, most of all. */
export async function memoryInUse(): Promise<number> {
  await collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function collectGarbage(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('needs node --expose-gc')
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await new Promise(setImmediate)
  }
}
