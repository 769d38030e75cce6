import type { App } from './state/app.ts'
import type { Dictionary } from './text/index.ts'
import { cellOf, focusCell, focusCells } from './view/cell-focus.ts'

/** A key, and what it does. Those without `press` are for a part of the page, which sees to them. */
export interface Shortcut {
  readonly keys: readonly string[]
  readonly does: keyof Dictionary['keyboard']['keys']
  readonly press?: (app: App) => void
}

/** All keys of the page: the list under `?` and docs/dashboard.md have the same. */
export const SHORTCUTS: readonly Shortcut[] = [
  {
    keys: ['?'],
    does: 'help',
    press: (app) => {
      app.dialog.value = { kind: 'keyboard' }
    },
  },
  { keys: ['c'], does: 'cells', press: () => focusCells(document) },
  { keys: ['←', '→', '↑', '↓'], does: 'move' },
  { keys: ['Home', 'End'], does: 'ends' },
  { keys: ['Enter'], does: 'open' },
  { keys: ['n'], does: 'problem', press: nextProblem },
  { keys: ['r'], does: 'rebuild', press: (app) => askRebuild(app, false) },
  { keys: ['Shift+R'], does: 'urgent', press: (app) => askRebuild(app, true) },
  { keys: ['e'], does: 'events', press: () => document.getElementById('event-text')?.focus() },
  { keys: ['h'], does: 'hold', press: () => document.getElementById('hold-events')?.click() },
  { keys: ['t'], does: 'theme', press: (app) => app.preferences.nextTheme() },
  { keys: ['l'], does: 'language', press: (app) => app.preferences.nextLanguage() },
  { keys: ['Esc'], does: 'escape' },
]

const NEEDS_LOGIN: ReadonlySet<Shortcut['does']> = new Set(['cells', 'problem', 'rebuild', 'urgent', 'events', 'hold'])

/** Does what a key is for, wherever the focus is; not while somebody writes or answers a dialog. */
export function onKey(event: KeyboardEvent, app: App): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  if (app.dialog.value !== undefined) return
  if (event.key === 'Escape') {
    app.selected.value = undefined
    return
  }
  if (event.target instanceof HTMLElement && event.target.matches('input, select, textarea')) return
  if (event.key.length === 1 && !app.preferences.singleKeys.value) return
  const name = event.shiftKey && event.key === 'R' ? 'Shift+R' : event.key
  const shortcut = SHORTCUTS.find(({ keys, press }) => press !== undefined && keys.includes(name))
  if (shortcut?.press === undefined) return
  if (NEEDS_LOGIN.has(shortcut.does) && app.login.stage.value.kind !== 'in') return
  event.preventDefault()
  shortcut.press(app)
}

function askRebuild(app: App, urgent: boolean): void {
  const id = app.selected.value
  if (id === undefined || !app.maySteer.value || !app.model.connections.all.value.has(id)) return
  app.ask({ kind: 'rebuild-one', connectionId: id, urgent })
}

/** The next one behind that which has the focus; the first again after the last. */
function nextProblem(app: App): void {
  const ids = app.model.diagnosis.value?.ill.map(({ connection }) => connection.id) ?? []
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.id : undefined
  const next = ids[(ids.indexOf(focused ?? '') + 1) % Math.max(1, ids.length)]
  const cell = next === undefined ? null : cellOf(document, next)
  if (cell !== null) focusCell(document, cell)
}
