/**
 * Who listens to each signal. One listener of ours stands on a signal, however many wait under it: a program passes one
 * signal for its shutdown to every acquire, and Node warns of a leak from the eleventh listener on.
 */
const groups = new WeakMap<AbortSignal, Group>()

class Group {
  readonly callbacks = new Set<() => void>()

  handleEvent(): void {
    for (const callback of this.callbacks) callback()
  }
}

/** Calls back once when the signal, if there is one, is aborted. Each call needs a callback of its own. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): void {
  if (signal === undefined) return
  let group = groups.get(signal)
  if (group === undefined) {
    group = new Group()
    groups.set(signal, group)
    signal.addEventListener('abort', group)
  }
  group.callbacks.add(callback)
}

/** Undoes {@link onAbort}; nothing of ours stays on a signal under which nobody waits. */
export function offAbort(signal: AbortSignal | undefined, callback: () => void): void {
  if (signal === undefined) return
  const group = groups.get(signal)
  if (group === undefined || !group.callbacks.delete(callback) || group.callbacks.size > 0) return
  groups.delete(signal)
  signal.removeEventListener('abort', group)
}
