import { describe, expect, it } from 'vitest'
import type { Job } from '../../src/api/contract.ts'
import { en } from '../../src/text/en.ts'
import { hasFailed, outcomeOf } from '../../src/view/job-outcome.ts'

const job = (changes: Partial<Job>): Job => ({
  id: 'j1',
  state: 'completed',
  target: { kind: 'pool', name: 'orders' },
  createdBy: 'ada',
  createdAt: 1000,
  endedAt: 3000,
  progress: { total: 8, succeeded: 8, failed: 0 },
  ...changes,
})
const NONE = { total: 8, succeeded: 0, failed: 0 }

describe('what came of a job', () => {
  it.each<[string, Partial<Job>, string, boolean]>([
    ['all was done', {}, '8 connections rebuilt in 2.00 s', false],
    ['there was nothing to do', { progress: { ...NONE, total: 0 } }, 'nothing was marked or due', false],
    ['one has failed', { progress: { total: 8, succeeded: 7, failed: 1 } }, '7 connections rebuilt in 2.00 s, 1 failed', true],
    [
      'it was cancelled in the middle',
      { state: 'cancelled', result: { succeeded: 2, failed: 0, skipped: 6 } },
      'cancelled, 2 connections rebuilt in 2.00 s, 6 not begun',
      false,
    ],
    [
      'it was cancelled before anything had ended',
      { state: 'cancelled', progress: NONE, result: { succeeded: 0, failed: 0, skipped: 8 } },
      'cancelled, 8 not begun',
      false,
    ],
    ['the agent could not do it', { state: 'failed', problem: { detail: 'the pool is closed' } }, 'failed: the pool is closed', true],
    ['its rebuild has failed', { result: { success: false, error: { message: 'no answer' } } }, 'failed: no answer', true],
  ])('when %s', (_, changes, outcome, failed) => {
    expect([outcomeOf(job(changes), en), hasFailed(job(changes))]).toEqual([outcome, failed])
  })
})
