import type { BreakerState, ConnectionState, Health, Level, PoolState, Role } from '../api/contract.ts'
import { whole } from '../format.ts'

const connections = (n: number): string => `${whole(n)} ${n === 1 ? 'connection' : 'connections'}`
const are = (n: number): string => (n === 1 ? 'is' : 'are')
const borrowers = (n: number): string => `${whole(n)} ${n === 1 ? 'borrower' : 'borrowers'}`

/** English. Its shape is that of every language. */
export const en = {
  /** What the switch to this language says. */
  languageName: 'English',
  title: 'Wellpool',
  skipToConnections: 'Skip to the connections',

  states: {
    connecting: 'connecting',
    idle: 'idle',
    acquired: 'in use',
    checking: 'checking',
    rebuilding: 'rebuilding',
    closing: 'closing',
    closed: 'closed',
  } as Record<ConnectionState, string>,
  healths: { unknown: 'unknown', healthy: 'healthy', degraded: 'degraded', unhealthy: 'unhealthy' } as Record<Health, string>,
  poolStates: {
    new: 'not begun',
    running: 'running',
    paused: 'paused',
    draining: 'draining',
    closing: 'closing',
    closed: 'closed',
  } as Record<PoolState, string>,
  breakers: { closed: 'breaker closed', open: 'breaker open', 'half-open': 'breaker half-open' } as Record<BreakerState, string>,
  levels: { debug: 'debug', info: 'info', warn: 'warning', error: 'error' } as Record<Level, string>,
  roles: { viewer: 'viewer', operator: 'operator', executor: 'executor' } as Record<Role, string>,

  /** Reasons of rebuilds by their kind. One that is not here is shown as it is. */
  reasons: {
    connection_lost: 'lost',
    health_failures: 'checks failed',
    reset_failed: 'reset failed',
    degraded_performance: 'degraded',
    retired_by_peer: 'retired by its peer',
    slow_outlier: 'slower than the others',
    max_uses: 'used often enough',
    max_lifetime: 'old enough',
    error_rate: 'too many errors',
    manual: 'by hand',
    check_failed: 'its last check failed',
    slow_check: 'its last check was slow',
  } as Record<string, string>,

  headline: {
    loading: 'Looking at the pools …',
    noPools: 'No pools yet',
    noPoolsHint: 'Pools appear here as soon as the program or the file of the agent has any.',
    well: (n: number) => (n === 0 ? 'All is well' : `${n === 1 ? 'The connection is' : `All ${connections(n)} are`} well`),
    wasWell: (n: number) => (n === 0 ? 'All was well' : `${n === 1 ? 'The connection was' : `All ${connections(n)} were`} well`),
    ill: (n: number) => `${connections(n)} ${are(n)} ill`,
    down: (n: number) => `${whole(n)} ${n === 1 ? 'pool' : 'pools'} can't serve`,
    troubled: (n: number) => `${whole(n)} ${n === 1 ? 'pool needs' : 'pools need'} a look`,
    stale: 'The agent does not answer',
    summary: (pools: number, idle: number, inUse: number) =>
      `${whole(pools)} ${pools === 1 ? 'pool' : 'pools'}, ${whole(inUse)} in use, ${whole(idle)} idle`,
    waiting: (n: number) => (n === 0 ? 'nobody waits' : `${borrowers(n)} ${n === 1 ? 'waits' : 'wait'}`),
    renewing: (n: number) => `${whole(n)} being renewed as a matter of course`,
    andMore: (n: number) => `and ${whole(n)} more`,
    and: ', ',
    because: (finding: string, detail: string) => `${finding}: ${detail}`,
    list: 'What is wrong',
    noReason: 'no reason told yet',
  },

  doing: {
    rebuilding: 'out of service, rebuilding',
    rebuildingBeside: 'serves on while its successor connects',
    queued: 'serves on, will be rebuilt',
    queuedUrgent: 'will be rebuilt at once',
    tryingAgain: (tries: number) => `serves on; ${whole(tries)} ${tries === 1 ? 'try has' : 'tries have'} failed, another follows`,
    checkingAgain: 'is checked again before it serves',
    watching: 'serves, and is watched',
    since: (time: string) => `for ${time}`,
    andSince: (time: string) => `, for ${time}`,
    andDecided: (time: string) => `, decided ${time} ago`,
  },

  troubles: {
    down: (waiting: number) =>
      `can't serve: no connect succeeds${waiting === 0 ? '' : `, ${borrowers(waiting)} ${waiting === 1 ? 'waits' : 'wait'}`}`,
    connectingFails: 'connects fail; present connections serve on',
    nextTry: (time: string) => `next try in ${time}`,
    tryingNow: 'trying now',
    panic: (unwell: number, total: number) =>
      `panic: ${whole(unwell)} of ${whole(total)} are not well, so it is the endpoint or the check; nothing is rebuilt for it`,
    paused: (waiting: number) => `is paused${waiting === 0 ? '' : `, ${borrowers(waiting)} ${waiting === 1 ? 'waits' : 'wait'}`}`,
    ending: (state: string) => `is ${state}`,
    saturated: (waiting: number, inUse: number, max: number) =>
      `${borrowers(waiting)} ${waiting === 1 ? 'waits' : 'wait'}: ${whole(inUse)} of ${whole(max)} in use`,
    leak: (id: string) => `${id} is held for long: a lease may have leaked`,
  },

  cells: {
    title: 'Connections',
    region: 'Connections by pool',
    legend: 'Legend',
    legendState: 'State by form',
    legendHealth: 'Health by colour and sign',
    legendMark: 'Decided',
    marked: 'to be rebuilt',
    markedUrgent: 'to be rebuilt at once',
    none: 'No connections now.',
    noneYet: 'No connections yet: the pool connects when it is first asked.',
    help: 'Arrow keys move, Enter opens',
    label: (id: string, state: string, health: string, mark: string | undefined) =>
      `${id}: ${state}, ${health}${mark === undefined ? '' : `, to be rebuilt: ${mark}`}`,
  },

  pool: {
    size: (total: number, max: number) => `${whole(total)} of ${whole(max)}`,
    sizeTitle: 'Connections present, of at most',
    inUse: 'in use',
    idle: 'idle',
    waiting: 'waiting',
    retired: 'retired',
    panic: 'panic',
    cannotServe: "can't serve",
    actions: (pool: string) => `Actions for ${pool}`,
    showCharts: 'Charts',
  },

  details: {
    title: (id: string) => `Connection ${id}`,
    close: 'Close',
    gone: 'This connection is not there any more.',
    why: 'Why',
    doing: 'What is done',
    wellNow: 'It is well, and nothing is to be done.',
    unknownNow: 'It has connected, and has not been checked or used since.',
    protocol: 'Protocol',
    generation: 'Generation',
    uses: 'Uses of this client',
    requests: 'Requests',
    errors: 'Errors',
    lastCheck: 'Last check took',
    age: 'Age of this client',
    proven: 'Last proven',
    created: 'First connected',
    rebuilt: 'Last rebuilt',
    never: 'never',
    ago: (time: string) => `${time} ago`,
    history: 'History',
    noHistory: 'Nothing has been told of it yet.',
    historyFailed: 'Its history could not be read:',
  },

  actions: {
    rebuild: 'Rebuild …',
    rebuildUrgently: 'Rebuild urgently …',
    rebuildAll: 'Rebuild all pools …',
    pause: 'Pause …',
    resume: 'Resume …',
    evict: 'Evict …',
    needsOperator: 'This needs the role operator',
    agentAway: 'The agent does not answer',
    cancel: 'Cancel',
    dismiss: 'Dismiss',
  },

  confirm: {
    rebuildOne: (id: string) => `Rebuild ${id}?`,
    rebuildOneUrgent: (id: string) => `Rebuild ${id} urgently?`,
    rebuildPool: (pool: string) => `Rebuild connections of ${pool}?`,
    rebuildAll: 'Rebuild connections of all pools?',
    pause: (pool: string) => `Pause ${pool}?`,
    resume: (pool: string) => `Resume ${pool}?`,
    evict: (pool: string) => `Evict the connections of ${pool}?`,
    what: 'What will happen',
    gone: 'It is not there any more.',
    nothing: 'Nothing: no connection is marked for a rebuild.',
    choice: 'Which ones',
    onlyMarked: (n: number) => `Only those that are marked (${whole(n)})`,
    all: (n: number) => `All (${whole(n)})`,
    failWaiting: (n: number) => `Refuse those who wait (${whole(n)}), and those who come`,
    interrupt: (n: number) => `Interrupt those in use (${whole(n)})`,
    rebuilds: (n: number, pools: number) => `Rebuilds ${connections(n)}${pools > 1 ? ` of ${whole(pools)} pools` : ''}.`,
    atATime: (n: number) => `At most ${whole(n)} at a time in a pool.`,
    beside: 'Each serves on until its successor is connected and checked; no request waits for it.',
    notBeside: 'The pool has no room for successors: each is closed before its successor connects, so there are fewer meanwhile.',
    holdersKeep: (n: number) =>
      `${whole(n)} ${are(n)} in use: ${n === 1 ? 'its holder keeps the old client' : 'their holders keep the old clients'} until the release.`,
    holdersFinish: (n: number) => `${whole(n)} ${are(n)} in use: ${n === 1 ? 'it is' : 'they are'} closed on release.`,
    urgentIdle: 'Closes its client at once and connects another. Until then the pool has one connection less.',
    urgentInUse: 'It is in use: its client is closed on release, and another one connected. Until then the pool has one connection less.',
    pausesNow: (idle: number, inUse: number) =>
      `Hands out no more connections: ${whole(inUse)} in use now ${goOn(inUse)} until released, ${whole(idle)} not in use ${idle === 1 ? 'stays' : 'stay'} open.`,
    waitOn: (n: number) =>
      n === 0
        ? 'Whoever comes waits, until the pool is resumed or their time is up.'
        : `${borrowers(n)} ${n === 1 ? 'goes' : 'go'} on waiting, and whoever comes waits too, until their time is up.`,
    refused: (n: number) =>
      n === 0 ? 'Whoever comes is refused at once.' : `${borrowers(n)} ${are(n)} refused now, and whoever comes too.`,
    resumes: (waiting: number) =>
      waiting === 0
        ? 'Hands out connections again; nobody waits now.'
        : `Hands out connections again; ${borrowers(waiting)} ${waiting === 1 ? 'is' : 'are'} served first.`,
    evicts: (total: number, now: number, later: number) =>
      total === 0
        ? 'Closes nothing: there are no connections.'
        : `Closes ${connections(total)}: ${whole(now)} now${later === 0 ? '' : `, ${whole(later)} when ${later === 1 ? 'it is' : 'they are'} released`}.`,
    evictsAll: (total: number, inUse: number) =>
      `Closes ${connections(total)} now: ${whole(inUse)} in the middle of ${inUse === 1 ? 'its' : 'their'} work, which fails or is run again.`,
    refills: 'The pool connects new ones as they are needed.',
    doRebuild: 'Rebuild',
    doRebuildUrgent: 'Rebuild urgently',
    doPause: 'Pause',
    doResume: 'Resume',
    doEvict: 'Evict',
    failed: 'It was not done:',
    noAnswer: 'No answer came. It may have been done all the same: look before you try again.',
  },

  jobs: {
    title: 'Asked for by hand',
    target: (kind: string, name: string | undefined) =>
      kind === 'all' ? 'Rebuild of all pools' : kind === 'protocol' ? `Rebuild of all ${name ?? ''} pools` : `Rebuild of ${name ?? ''}`,
    by: (name: string) => `by ${name}`,
    progress: (done: number, total: number) => `${whole(done)} of ${whole(total)} done`,
    failures: (n: number) => `${whole(n)} failed`,
    skipped: (n: number) => `${whole(n)} not begun`,
    states: { running: 'running', completed: 'completed', failed: 'failed', cancelled: 'cancelled' } as Record<string, string>,
    succeeded: (n: number, time: string) => `${connections(n)} rebuilt in ${time}`,
    nothingToDo: 'nothing was marked or due',
    done: (what: string) => `${what}: done`,
    paused: (pool: string) => `${pool} is paused`,
    resumed: (pool: string) => `${pool} is resumed`,
    evicted: (pool: string) => `The connections of ${pool} are evicted`,
  },

  charts: {
    title: 'Over time',
    pool: 'Pool',
    range: 'Range',
    minutes: (n: number) => `${n} min`,
    wait: 'Wait for a connection',
    use: 'Use',
    check: 'Check',
    size: 'Size and waiting',
    p50: 'p50',
    p90: 'p90',
    p99: 'p99',
    total: 'present',
    inUse: 'in use',
    waiting: 'waiting',
    empty: 'No samples yet.',
    breakerBand: 'red ground: breaker open or panic',
    /** For those who can't see the picture. */
    summary: (name: string, latest: string) => `${name}. Latest: ${latest}`,
  },

  rebuilds: {
    title: 'Rebuilds',
    empty: 'No rebuilds yet.',
    emptyHint: 'Each is shown here with its reason, its steps and what came of it.',
    marked: 'marked',
    started: 'started',
    completed: 'completed',
    failed: (stage: string | undefined) => (stage === undefined ? 'failed' : `failed (${stage})`),
    closed: 'closed instead',
    dropped: 'taken back',
    running: 'running',
    waitingForTurn: 'waits for its turn',
    generation: (n: number) => `now generation ${whole(n)}`,
    tries: (n: number) => `try ${whole(n)}`,
    urgent: 'urgent',
    overview: (n: number, failed: number) => `${whole(n)} in the last ten minutes, ${whole(failed)} failed`,
  },

  events: {
    title: 'Events',
    level: 'Level',
    andAbove: (level: string) => `${level} and above`,
    everyLevel: 'all levels',
    name: 'Event',
    everyName: 'all events',
    pool: 'Pool',
    everyPool: 'all pools',
    text: 'Text',
    textPlaceholder: 'Filter by text',
    hold: 'Hold',
    held: (n: number) => `Held, ${whole(n)} newer`,
    empty: 'No events yet.',
    nonePass: 'No event passes the filter.',
    leftOut: (n: number) => `${whole(n)} ${n === 1 ? 'event was' : 'events were'} left out: too many at a time`,
    dropped: (n: number) => `${whole(n)} older ones are no longer kept here`,
    others: (n: number) => `${whole(n)} ${n === 1 ? 'other is' : 'others are'} not here`,
    shown: (shown: number) => `The latest ${whole(shown)} are shown.`,
    generation: (n: number) => `gen ${whole(n)}`,
  },

  link: {
    live: 'live',
    connecting: 'connecting',
    lost: 'not connected',
    unreachable: (time: string) => `The agent has not answered for ${time}.`,
    unread: "Pools and connections can't be read now.",
    dataAge: (time: string) => `What is shown is ${time} old.`,
    nextTry: (time: string) => `Next try in ${time}.`,
    trying: 'Trying now …',
    tryNow: 'Try now',
    dataAgeTitle: 'How old the data are',
    noStream: 'Events are not followed now.',
  },

  login: {
    title: 'Log in',
    intro: 'This agent wants to know who you are.',
    token: 'Token',
    tokenHint: 'It begins with wellpool_. It is kept in this tab alone, and forgotten when the tab is closed.',
    submit: 'Log in',
    checking: 'Asking …',
    refused: 'Not let in:',
    malformed: 'This is no token: tokens have letters, digits, - and _ only.',
    empty: 'Enter a token.',
    tooMany: (seconds: number) => `Too many wrong tokens. The next try is taken in ${whole(seconds)} s.`,
    mayTryAgain: 'You may try again.',
    ended: 'Your token is no longer valid. Log in with another one.',
    unreachable: 'The agent does not answer.',
    mayNotView: (name: string, roles: string) => `${name} has the role ${roles}, which may not look at pools.`,
    how: 'A new token is made with',
    logout: 'Log out',
    anonymous: 'no login needed',
    refusedHere: 'The agent refuses this page',
    tryAgain: 'Try again',
  },

  settings: {
    language: 'Language',
    theme: 'Colours',
    themes: { auto: 'as the system', light: 'light', dark: 'dark' } as Record<string, string>,
    themeTitle: (theme: string) => `Colours: ${theme}`,
  },

  keyboard: {
    title: 'Keyboard',
    open: 'Keyboard shortcuts',
    close: 'Close',
    singleKeys: 'Use keys of one character',
    keys: {
      help: 'show this list',
      cells: 'go to the connections',
      move: 'move among connections',
      ends: 'to the first, to the last connection',
      open: 'open the details of a connection',
      problem: 'go to the next connection that is ill',
      rebuild: 'rebuild the connection that is open',
      urgent: 'rebuild it urgently',
      events: 'filter the events',
      hold: 'hold the events',
      theme: 'change the colours',
      language: 'change the language',
      escape: 'close details or a dialog',
    },
  },
}

function goOn(n: number): string {
  return n === 1 ? 'goes on' : 'go on'
}

/** All texts of the page in one language. */
export type Dictionary = typeof en
