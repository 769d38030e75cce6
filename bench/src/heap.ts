/**
 * Flags of node for a process whose heap is looked at over a long time. Code that is optimized, or thrown away when it was
 * not used for a while, grows and shrinks by more than any leak would show in an hour.
 */
export const STEADY_HEAP_FLAGS = ['--expose-gc', '--no-opt', '--no-flush-bytecode', '--single-threaded-gc']

/** Bytes of the heap, after everything that can go has gone. Needs `node --expose-gc`. */
export async function heapUsed(): Promise<number> {
  return (await memoryAfterGarbage()).heapUsed
}

/** The same with what the heap holds outside of itself: the buffers of sockets, most of all. */
export async function memoryInUse(): Promise<number> {
  const { heapUsed, external } = await memoryAfterGarbage()
  return heapUsed + external
}

async function memoryAfterGarbage(): Promise<NodeJS.MemoryUsage> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('needs node --expose-gc')
  for (let i = 0; i < 4; i++) {
    gc()
    await new Promise(setImmediate)
  }
  // Nothing may happen between the last collection and the look: the first object that V8 puts into the old space takes a
  // whole stretch of free memory for those to come, of 200 kB perhaps, and all of it counts as used.
  gc()
  return process.memoryUsage()
}
