import { useState } from 'preact/hooks'
import { UnreachableError } from '../api/client.ts'
import { type Action, type Preview, previewOf } from '../state/preview.ts'
import { consequencesOf, titleOf } from './consequences.ts'
import { useApp, useText } from './context.ts'
import { Modal } from './dialogs.tsx'

/** Says what will happen, in numbers as they are now, and does it when that is wanted. */
export function ConfirmDialog({ action: asked }: { readonly action: Action }) {
  const app = useApp()
  const text = useText()
  const [action, setAction] = useState(asked)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const { model } = app
  const preview = previewOf(action, {
    pools: model.pools.value,
    connections: model.connections.all.value,
    configuration: model.configuration.value,
  })
  const consequences = consequencesOf(action, preview, text)
  const isLoud =
    action.kind === 'evict' || (action.kind === 'rebuild-one' && action.urgent) || (action.kind === 'pause' && action.failWaiting)

  const perform = async (): Promise<void> => {
    // Until the answer comes this dialog may be closed, and another one opened.
    const own = app.dialog.peek()
    setBusy(true)
    setProblem(undefined)
    try {
      await app.steering.perform(action)
      if (app.dialog.peek() === own) app.dialog.value = undefined
    } catch (error) {
      const what = error instanceof UnreachableError ? text.confirm.noAnswer : `${text.confirm.failed} ${(error as Error).message}`
      if (app.dialog.peek() !== own) return app.steering.tellFailure(action, what)
      setProblem(what)
      setBusy(false)
    }
  }
  return (
    <Modal titleId="confirm-title">
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault()
          void perform()
        }}
      >
        <h2 id="confirm-title">{titleOf(action, text)}</h2>
        <Choices action={action} preview={preview} onChange={setAction} />
        <h3>{text.confirm.what}</h3>
        <ul class="consequences figures">
          {consequences.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        {problem !== undefined && (
          <p class="error-text" role="alert">
            {problem}
          </p>
        )}
        <div class="dialog-buttons">
          <button
            type="button"
            onClick={() => {
              app.dialog.value = undefined
            }}
          >
            {text.actions.cancel}
          </button>
          <button type="submit" class={isLoud ? 'loud' : 'primary'} disabled={isBusy || preview.isGone || !app.maySteer.value}>
            {labelOf(action, text.confirm)}
          </button>
        </div>
      </form>
    </Modal>
  )
}

function Choices({
  action,
  preview,
  onChange,
}: {
  readonly action: Action
  readonly preview: Preview
  readonly onChange: (action: Action) => void
}) {
  const { model } = useApp()
  const text = useText().confirm
  if (action.kind === 'rebuild-pool' || action.kind === 'rebuild-all') {
    const everything = previewOf(
      { ...action, all: true },
      { pools: model.pools.value, connections: model.connections.all.value, configuration: undefined },
    )
    return (
      <fieldset>
        <legend>{text.choice}</legend>
        <label>
          <input type="radio" name="which" checked={action.all} onChange={() => onChange({ ...action, all: true })} />
          {text.all(everything.connections)}
        </label>
        <label>
          <input type="radio" name="which" checked={!action.all} onChange={() => onChange({ ...action, all: false })} />
          {text.onlyMarked(preview.marked)}
        </label>
      </fieldset>
    )
  }
  if (action.kind === 'pause') {
    return (
      <label class="choice">
        <input
          type="checkbox"
          checked={action.failWaiting}
          onChange={({ currentTarget }) => onChange({ ...action, failWaiting: currentTarget.checked })}
        />
        {text.failWaiting(preview.waiting)}
      </label>
    )
  }
  if (action.kind === 'evict') {
    return (
      <label class="choice">
        <input
          type="checkbox"
          checked={action.interruptInUse}
          onChange={({ currentTarget }) => onChange({ ...action, interruptInUse: currentTarget.checked })}
        />
        {text.interrupt(preview.inUse)}
      </label>
    )
  }
  return null
}

function labelOf(action: Action, text: ReturnType<typeof useText>['confirm']): string {
  switch (action.kind) {
    case 'pause':
      return text.doPause
    case 'resume':
      return text.doResume
    case 'evict':
      return text.doEvict
    case 'rebuild-one':
      return action.urgent ? text.doRebuildUrgent : text.doRebuild
    default:
      return text.doRebuild
  }
}
