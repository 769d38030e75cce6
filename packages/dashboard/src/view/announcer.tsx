import { useEffect, useRef, useState } from 'preact/hooks'
import { useApp, useText } from './context.ts'
import { headlineOf } from './headline.tsx'

/** What is read out changes at most once in so many ms: who listens can't skip. */
const AT_MOST_EVERY = 3000

/** Tells those who can't see the page when something becomes wrong, and when it is right again. */
export function Announcer() {
  const { model } = useApp()
  const text = useText()
  const diagnosis = model.diagnosis.value
  // Without the number of connections: it changes all day while all is well.
  const sentence = diagnosis === undefined ? '' : headlineOf({ ...diagnosis, connections: 0 }, model.pools.value.length, text)
  const [spoken, setSpoken] = useState('')
  const last = useRef(Number.NEGATIVE_INFINITY)
  useEffect(() => {
    const wait = Math.max(0, last.current + AT_MOST_EVERY - performance.now())
    const timer = setTimeout(() => {
      last.current = performance.now()
      setSpoken(sentence)
    }, wait)
    return () => clearTimeout(timer)
  }, [sentence])
  return (
    <div class="visually-hidden" role="alert">
      {spoken}
    </div>
  )
}
