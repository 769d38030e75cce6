import type { Action, Preview } from '../state/preview.ts'
import type { Dictionary } from '../text/index.ts'

/** What a dialog asks. */
export function titleOf(action: Action, { confirm }: Dictionary): string {
  switch (action.kind) {
    case 'rebuild-one':
      return action.urgent ? confirm.rebuildOneUrgent(action.connectionId) : confirm.rebuildOne(action.connectionId)
    case 'rebuild-pool':
      return confirm.rebuildPool(action.pool)
    case 'rebuild-all':
      return confirm.rebuildAll
    case 'pause':
      return confirm.pause(action.pool)
    case 'resume':
      return confirm.resume(action.pool)
    case 'evict':
      return confirm.evict(action.pool)
  }
}

/** What will happen, sentence by sentence. */
export function consequencesOf(action: Action, preview: Preview, { confirm }: Dictionary): string[] {
  const { connections, inUse, notInUse, waiting } = preview
  if (preview.isGone) return [confirm.gone]
  switch (action.kind) {
    case 'rebuild-one':
      if (action.urgent) return [inUse > 0 ? confirm.urgentInUse : confirm.urgentIdle]
      return ofRebuild(preview, confirm)
    case 'rebuild-pool':
    case 'rebuild-all':
      return connections === 0 ? [confirm.nothing] : ofRebuild(preview, confirm)
    case 'pause':
      return [confirm.pausesNow(notInUse, inUse), action.failWaiting ? confirm.refused(waiting) : confirm.waitOn(waiting)]
    case 'resume':
      return [confirm.resumes(waiting)]
    case 'evict':
      return [
        action.interruptInUse && inUse > 0 ? confirm.evictsAll(connections, inUse) : confirm.evicts(connections, notInUse, inUse),
        confirm.refills,
      ]
  }
}

function ofRebuild({ connections, pools, inUse, atATime, beside }: Preview, confirm: Dictionary['confirm']): string[] {
  return [
    confirm.rebuilds(connections, pools),
    ...(connections > 1 && atATime !== undefined ? [confirm.atATime(atATime)] : []),
    beside ? confirm.beside : confirm.notBeside,
    ...(inUse > 0 ? [beside ? confirm.holdersKeep(inUse) : confirm.holdersFinish(inUse)] : []),
  ]
}
