import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { ConfirmDialog } from './confirm-dialog.tsx'
import { useApp } from './context.ts'
import { KeyboardDialog } from './keyboard-dialog.tsx'

/** The dialog that is open, if one is. */
export function Dialogs() {
  const app = useApp()
  const dialog = app.dialog.value
  if (dialog === undefined) return null
  return dialog.kind === 'keyboard' ? <KeyboardDialog /> : <ConfirmDialog action={dialog.action} />
}

/** A modal dialog of the browser's own: it keeps the focus within, and gives it back. */
export function Modal({ titleId, children }: { readonly titleId: string; readonly children: ComponentChildren }) {
  const app = useApp()
  const dialog = useRef<HTMLDialogElement>(null)
  // Before the next key arrives: what is only in the document, and not yet open, does not get the keys.
  useLayoutEffect(() => {
    const element = dialog.current
    const before = document.activeElement
    element?.showModal()
    return () => {
      element?.close()
      // Not from what has got the focus meanwhile: this comes a moment after the key that has closed it, and others may have followed.
      if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      // Of a close it is told later: the keys that follow at once belong to the page.
      onCancel={() => {
        app.dialog.value = undefined
      }}
      onClose={() => {
        // One that is gone already is told of its close as well.
        if (dialog.current !== null) app.dialog.value = undefined
      }}
    >
      {children}
    </dialog>
  )
}
