import { age } from '../format.ts'
import { dataAge, isStale } from '../state/model.ts'
import { DICTIONARIES, LANGUAGES } from '../text/index.ts'
import { useApp, useText } from './context.ts'

/** Name, link, switches, and who is logged in. */
export function TopBar() {
  const app = useApp()
  const text = useText()
  const stage = app.login.stage.value
  const language = app.preferences.language.value
  const other = LANGUAGES[(LANGUAGES.indexOf(language) + 1) % LANGUAGES.length] ?? language
  const theme = text.settings.themes[app.preferences.theme.value] ?? ''
  return (
    <header class="top-bar">
      <span class="brand">
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <rect width="32" height="32" rx="7" class="brand-ground" />
          <path
            d="M9 7h4a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zm10 0h4a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2h-4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM9 17h4a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2z"
            class="brand-cells"
          />
          <circle cx="21" cy="21" r="3.25" class="brand-ring" />
        </svg>
        Wellpool
      </span>
      {stage.kind === 'in' && <LinkState />}
      <span class="spring" />
      <div class="switches">
        <button
          type="button"
          class="quiet"
          lang={other}
          aria-label={`${text.settings.language}: ${DICTIONARIES[other].languageName}`}
          onClick={() => app.preferences.nextLanguage()}
        >
          {DICTIONARIES[other].languageName}
        </button>
        <button
          type="button"
          class="quiet"
          title={text.settings.themeTitle(theme)}
          aria-label={text.settings.themeTitle(theme)}
          onClick={() => app.preferences.nextTheme()}
        >
          <span aria-hidden="true">{THEME_SIGNS[app.preferences.theme.value]}</span>
        </button>
        <button
          type="button"
          class="quiet"
          title={text.keyboard.open}
          aria-label={text.keyboard.open}
          onClick={() => {
            app.dialog.value = { kind: 'keyboard' }
          }}
        >
          <span aria-hidden="true">?</span>
        </button>
      </div>
      {stage.kind === 'in' && (
        <span class="who">
          {stage.session.tokensNeeded ? (
            <>
              <span>
                {stage.session.name} <span class="muted">({stage.session.roles.map((role) => text.roles[role]).join(', ')})</span>
              </span>
              <button type="button" onClick={() => app.login.logout()}>
                {text.login.logout}
              </button>
            </>
          ) : (
            <span class="muted">{text.login.anonymous}</span>
          )}
        </span>
      )}
    </header>
  )
}

const THEME_SIGNS = { auto: '◐', light: '○', dark: '●' } as const

/** Whether the agent is heard, and how old the data are. */
function LinkState() {
  const { model } = useApp()
  const text = useText().link
  const link = model.link.value
  const now = model.now.value
  const isLive = link.streaming && !isStale(link, now)
  return (
    <span class={`link-state ${isLive ? 'live' : 'lost'}`}>
      <span class="dot" aria-hidden="true" />
      {isLive ? text.live : text.lost}
      <span class="muted figures" title={text.dataAgeTitle}>
        {age(dataAge(link, now))}
      </span>
    </span>
  )
}
