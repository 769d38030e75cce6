/**
 * Has something done soon after it was asked for, and at most once in `ms`, however often it is asked for.
 *
 * @returns what asks for it
 */
export function throttle(ms: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = Number.NEGATIVE_INFINITY
  return () => {
    if (timer !== undefined) return
    const wait = Math.max(0, last + ms - performance.now())
    timer = setTimeout(() => {
      timer = undefined
      last = performance.now()
      act()
    }, wait)
  }
}
