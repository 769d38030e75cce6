import { useEffect } from 'preact/hooks'
import { onKey } from '../keyboard.ts'
import { Announcer } from './announcer.tsx'
import { Banner } from './banner.tsx'
import { Charts } from './charts.tsx'
import { Connections } from './connections.tsx'
import { useApp, useText } from './context.ts'
import { Details } from './details.tsx'
import { Dialogs } from './dialogs.tsx'
import { Events } from './events.tsx'
import { Headline } from './headline.tsx'
import { Jobs } from './jobs.tsx'
import { LoginForm, Shut } from './login-form.tsx'
import { Rebuilds } from './rebuilds.tsx'
import { TopBar } from './top-bar.tsx'

/** All that is seen. */
export function Page() {
  const app = useApp()
  const text = useText()
  const stage = app.login.stage.value
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event, app)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [app])
  return (
    <>
      <Title />
      {stage.kind === 'in' && (
        <a class="skip" href="#connections">
          {text.skipToConnections}
        </a>
      )}
      <TopBar />
      <main id="main">
        {stage.kind === 'in' && <Console />}
        {stage.kind === 'login' && <LoginForm stage={stage} />}
        {stage.kind === 'shut' && <Shut problem={stage.problem} />}
      </main>
      {stage.kind === 'in' && <Details />}
      <Dialogs />
    </>
  )
}

function Console() {
  return (
    <>
      <Announcer />
      <Banner />
      <Headline />
      <Jobs />
      <Connections />
      <Charts />
      <div class="columns">
        <Rebuilds />
        <Events />
      </div>
    </>
  )
}

/** How many things are wrong, in the title: it is seen when another tab is open. */
function Title() {
  const { model } = useApp()
  const { title } = useText()
  const diagnosis = model.diagnosis.value
  const wrong = diagnosis === undefined ? 0 : diagnosis.ill.length + diagnosis.troubles.length
  useEffect(() => {
    document.title = wrong === 0 ? title : `(${wrong}) ${title}`
  }, [wrong, title])
  return null
}
