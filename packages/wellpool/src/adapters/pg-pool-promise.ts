/** What a call that may be given a callback is answered with. */
export type Deliver<Values extends unknown[]> = (error?: unknown, ...values: Values) => void

/** How a call answers: through `deliver`, and with `result`, which is a promise unless there is a callback. */
export interface Answer<Values extends unknown[]> {
  readonly deliver: Deliver<Values>
  readonly result: Promise<Values[0]> | undefined
}

/**
 * An answer by the callback if there is one, otherwise by a promise of the class that the application prefers.
 *
 * An error's stack is made anew there, as pg has it: it leads to whoever has awaited the call instead of to the socket.
 */
export function answer<Values extends unknown[]>(PromiseClass: PromiseConstructor, callback: unknown): Answer<Values> {
  if (callback) return { deliver: callback as Deliver<Values>, result: undefined }
  let settle: Deliver<Values> = () => {}
  const result = new PromiseClass<Values[0]>((resolve, reject) => {
    settle = (error, ...values) => (error ? reject(error) : resolve(values[0]))
  }).catch((error: unknown) => {
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  })
  return { deliver: (...values) => settle(...values), result }
}
