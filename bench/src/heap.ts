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
