/** Bytes of the heap, after everything that can go has gone. Needs `node --expose-gc`. */
export async function heapUsed(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('needs node --expose-gc')
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed
}
