// Several routers of three makers, asked all at once over two sessions of each. One of them reboots meanwhile, another
// has all its sessions taken by somebody else: who asks waits, and gets his answer. The routers are simulated, in this
// process; real ones take their place by their addresses.
//
//   node tools/run.mjs examples/ssh-devices.ts
import { createPool, createPools } from 'wellpool'
import { CliCommandError, ssh } from 'wellpool/ssh'
import { type Device, startDevice } from 'wellpool/testing/devices'

const SECRET = 'open sesame'

/** The command that shows the clock, by platform. */
const CLOCK = { cisco_iosxe: 'show clock', juniper_junos: 'show system uptime', huawei_vrp: 'display clock' } as const
type Platform = keyof typeof CLOCK

const routers = await Promise.all(
  (Object.keys(CLOCK) as Platform[]).flatMap((platform) =>
    [1, 2].map((number) =>
      startDevice({ platform, hostname: `${platform.split('_')[0]}-${number}`, enableSecret: SECRET, sessionLimit: 5 }),
    ),
  ),
)
const driverFor = ({ host, port, fingerprint, platform }: Device) =>
  ssh({ host, port, username: 'admin', password: 'admin', hostKey: fingerprint, cli: { platform, enableSecret: SECRET } })

const pools = createPools(Object.fromEntries(routers.map((router) => [router.hostname, driverFor(router)])), { acquireTimeout: '30s' })

/** Asks every router for its time, three times at the same time. */
async function askAll(): Promise<number> {
  const answers = await Promise.all(
    routers.flatMap(({ hostname, platform }) =>
      [1, 2, 3].map(() => pools[hostname]?.use(({ cli }) => cli.send(CLOCK[platform as Platform]), { idempotent: true })),
    ),
  )
  return answers.filter((answer) => answer !== undefined && /\d\d:\d\d:\d\d/.test(answer)).length
}

console.log(await askAll(), 'answers from', routers.length, 'routers')

// One router reboots while it is asked.
const [first, second] = routers as [Device, Device]
const [, answered] = await Promise.all([first.reboot({ downFor: 200 }), askAll()])
console.log(answered, 'answers although', first.hostname, 'was rebooting')

// Somebody else has all five sessions of another, and gives them back a moment later.
await pools[second.hostname]?.evict()
const others = createPool(driverFor(second), { minConnections: 5, maxConnections: 5 })
await others.start()
setTimeout(() => others.close(), 300)
console.log(await askAll(), 'answers although', second.hostname, 'had no session left at first')

// A line that a router refuses changes nothing where changes have to be committed.
const junos = routers.find(({ platform }) => platform === 'juniper_junos') as Device
const before = junos.config.length
try {
  await pools[junos.hostname]?.use(({ cli }) => cli.configure(['set system ntp server 10.0.0.1', 'set systm host-name x']))
} catch (error) {
  if (error instanceof CliCommandError)
    console.log(`${junos.hostname} refuses "${error.command}";`, junos.config.length - before, 'lines are new')
}

for (const { hostname, mostSessions, refused } of routers) {
  console.log(`${hostname}: at most ${mostSessions} sessions, ${refused === 0 ? 'none' : 'some'} refused`)
}
await pools.drain()
for (const router of routers) await router.close()
