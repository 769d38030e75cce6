import { SHORTCUTS } from '../keyboard.ts'
import { useApp, useText } from './context.ts'
import { Modal } from './dialogs.tsx'

/** All keys and what they do. */
export function KeyboardDialog() {
  const app = useApp()
  const text = useText().keyboard
  const { singleKeys } = app.preferences
  return (
    <Modal titleId="keyboard-title">
      <h2 id="keyboard-title">{text.title}</h2>
      <dl class="keys">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text.keys[does]}</dd>
          </div>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={({ currentTarget }) => {
            singleKeys.value = currentTarget.checked
          }}
        />
        {text.singleKeys}
      </label>
      <div class="dialog-buttons">
        <button
          type="button"
          onClick={() => {
            app.dialog.value = undefined
          }}
        >
          {text.close}
        </button>
      </div>
    </Modal>
  )
}
