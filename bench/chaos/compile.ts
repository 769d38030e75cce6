import { type Compiled, compile } from '../src/compile.ts'

/** Compiles the programs of the lanes and the applications. The lane's is the one that is started. */
export function compileLane(options: { readonly sources?: boolean } = {}): Promise<Compiled> {
  return compile([new URL('lane.ts', import.meta.url), new URL('application.ts', import.meta.url)], options)
}
