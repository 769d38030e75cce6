export { type ConformanceAddress, type ConformanceCase, type ConformanceOptions, driverConformance } from './conformance.ts'
export { FakeClock, type FakeClockOptions, type PendingTimer } from './fake-clock.ts'
export {
  type Behaviour,
  createFakeDriver,
  type FakeCall,
  type FakeClient,
  type FakeDriver,
  type FakeDriverOptions,
  type FakeHook,
} from './fake-driver.ts'
export type { Fault, FaultScope, FlowCount, FlowDirection, InjectedFault, ProxyFlow } from './fault.ts'
export { FaultProxy, type FaultProxyOptions, type ProxyTarget } from './fault-proxy.ts'
export { type ClientLife, type ConnectEntry, Ledger } from './ledger.ts'
export { fail, type HeldCall, hang, type Outcome, ok } from './outcome.ts'
export { type Mishaps, noMishaps, randomBehaviour } from './random-behaviour.ts'
