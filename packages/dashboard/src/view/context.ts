import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { App } from '../state/app.ts'
import type { Dictionary } from '../text/index.ts'

/** Holds the one {@link App} of the page. */
export const AppContext = createContext<App | undefined>(undefined)

export function useApp(): App {
  const app = useContext(AppContext)
  if (app === undefined) throw new Error('bug: there is no app around this')
  return app
}

/** The texts in the chosen language. */
export function useText(): Dictionary {
  return useApp().text.value
}
