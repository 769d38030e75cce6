import 'uplot/dist/uPlot.min.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/cells.css'
import './styles/details.css'
import './styles/charts.css'
import './styles/lists.css'
import './styles/dialogs.css'
import { effect } from '@preact/signals'
import { render } from 'preact'
import { App } from './state/app.ts'
import { AppContext } from './view/context.ts'
import { Page } from './view/page.tsx'

const app = new App({
  api: new URL('api/v1/', document.baseURI).href,
  tokens: sessionStorage,
  preferences: localStorage,
  languages: navigator.languages,
})

// At once, and before anything is drawn: charts read their colours from what is set here.
effect(() => {
  const { language, theme } = app.preferences
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : language.value
  document.documentElement.dataset.theme = theme.value
})

const root = document.getElementById('app')
if (root === null) throw new Error('bug: the page has no place for the app')
render(
  <AppContext.Provider value={app}>
    <Page />
  </AppContext.Provider>,
  root,
)
app.start()
