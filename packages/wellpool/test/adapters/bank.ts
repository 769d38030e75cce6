import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { FaultProxy } from '../../src/testing/index.ts'
import { type Admin, openAdmin } from './bank-admin.ts'

/** What a library is asked to do: move money between two accounts, in a transaction. */
export interface Bank {
  /** Moves 1 from the first account to the second, or fails half-way. */
  transfer(fail?: boolean): Promise<void>
  balances(): Promise<number[]>
  /** Keeps a connection busy for this long. */
  sleep(seconds: number): Promise<unknown>
  close(): Promise<void>
}

/** Where a bank finds its database: behind a proxy. */
export interface BankAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** The statements of a transfer, and of a look at both accounts. */
export const WITHDRAW = "update accounts set balance = balance - 1 where name = 'a'"
export const DEPOSIT = "update accounts set balance = balance + 1 where name = 'b'"
export const BALANCES = 'select balance from accounts order by name'

/** A bank, its proxy, and what can be done to it. Everything is gone when the test has ended. */
async function openBank(url: string, open: (address: BankAddress) => Promise<Bank>) {
  const { hostname, port, username: user, password, pathname } = new URL(url)
  const proxy = await FaultProxy.start({ host: hostname, port: Number(port) })
  const admin: Admin = await openAdmin(url)
  await admin.query('drop table if exists accounts')
  await admin.query('create table accounts (name varchar(10) primary key, balance int not null)')
  await admin.query("insert into accounts values ('a', 100), ('b', 0)")
  const bank = await open({ host: proxy.host, port: proxy.port, user, password, database: pathname.slice(1) })
  onTestFinished(async () => {
    proxy.heal()
    await bank.close()
    await proxy.close()
    await admin.close()
  })
  return { admin, bank, proxy }
}

/** Has the bank open several connections, all of which are idle then. */
async function fill(bank: Bank, proxy: FaultProxy): Promise<void> {
  await Promise.all(Array.from({ length: 4 }, () => bank.sleep(0.2)))
  await quiet(proxy)
}

/**
 * Waits until the server has been silent for a while: what has proven itself within the last 10 ms is trusted for so
 * long, and the pool may still be opening or checking a connection of its own accord.
 */
export async function quiet(proxy: FaultProxy): Promise<void> {
  const said = (): string =>
    proxy
      .flows()
      .map(({ id, toClient }) => `${id}: ${toClient.delivered}`)
      .join()
  // Twice the same: after the first time, what was delivered last may have been read late.
  for (let before = '', rounds = 0; rounds < 2; rounds++) {
    if (said() !== before) rounds = 0
    before = said()
    await delay(20)
    await setImmediate()
  }
}

/** Declares what every bank has to do, whichever library keeps it. */
export function describeBank(url: string, open: (address: BankAddress) => Promise<Bank>): void {
  it('does transactions, whole or not at all', async () => {
    const { bank } = await openBank(url, open)
    await bank.transfer()
    expect(await bank.balances()).toEqual([99, 1])
    await expect(bank.transfer(true)).rejects.toThrow()
    expect(await bank.balances()).toEqual([99, 1])
    await Promise.all(Array.from({ length: 20 }, () => bank.transfer()))
    expect(await bank.balances()).toEqual([79, 21])
  })

  it('survives that the server ends all its sessions', async () => {
    const { admin, bank, proxy } = await openBank(url, open)
    await fill(bank, proxy)
    expect(await admin.endSessions()).toBeGreaterThan(1)
    await Promise.all(Array.from({ length: 10 }, () => bank.transfer()))
    expect(await bank.balances()).toEqual([90, 10])
  })

  it('survives that all its connections fall silent', async () => {
    const { bank, proxy } = await openBank(url, open)
    await fill(bank, proxy)
    expect(proxy.flows().length).toBeGreaterThan(1)
    proxy.inject({ kind: 'silence' }, 'present')
    await Promise.all(Array.from({ length: 10 }, () => bank.transfer()))
    expect(await bank.balances()).toEqual([90, 10])
  })

  it('is back when the server is, after an outage', async () => {
    const { bank, proxy } = await openBank(url, open)
    await bank.transfer()
    await proxy.refuse()
    proxy.inject({ kind: 'reset' }, 'present')
    await expect(bank.transfer()).rejects.toThrow()
    proxy.heal()
    while (
      !(await bank.transfer().then(
        () => true,
        () => false,
      ))
    )
      await delay(10)
    expect(await bank.balances()).toEqual([98, 2])
  })
}
