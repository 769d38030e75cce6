import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Identity, Role } from './roles.ts'

/** A token as it is kept: without what would let anybody use it. */
export interface TokenRecord {
  /** Public: the part of the token by which it is found. */
  readonly id: string
  /** Who or what it is for. */
  readonly name: string
  readonly roles: readonly Role[]
  /** SHA-256 of the token, in hexadecimal. */
  readonly hash: string
  /** ISO 8601. */
  readonly createdAt: string
  /** ISO 8601; absent: it does not expire. */
  readonly expiresAt?: string
}

const PREFIX = 'wellpool'
const FORM = new RegExp(`^${PREFIX}_([0-9a-z]{10})_[A-Za-z0-9_-]{43}$`)
const NOBODY = sha256('nobody has this token')

/**
 * Makes a token. Its text is random, 256 bits, so a plain hash of it tells nothing: there is no dictionary to try.
 *
 * @returns the text, which is shown once, and the record, which is kept
 */
export function createToken(name: string, roles: readonly Role[], now: Date, expiresAt?: Date): { text: string; record: TokenRecord } {
  const id = BigInt(`0x${randomBytes(8).toString('hex')}`)
    .toString(36)
    .padStart(10, '0')
    .slice(0, 10)
  const text = `${PREFIX}_${id}_${randomBytes(32).toString('base64url')}`
  const record = {
    id,
    name,
    roles,
    hash: sha256(text).toString('hex'),
    createdAt: now.toISOString(),
    ...(expiresAt !== undefined && { expiresAt: expiresAt.toISOString() }),
  }
  return { text, record }
}

/** The id in a text that has the form of a token. */
export function tokenId(text: string): string | undefined {
  return FORM.exec(text)?.[1]
}

/**
 * Finds out whose token this is. It takes the same time whether there is no such token or its secret is wrong.
 *
 * @returns undefined for a token that is unknown, wrong or has expired
 */
export function identify(text: string, records: readonly TokenRecord[], now: Date): Identity | undefined {
  const id = tokenId(text)
  const record = records.find((candidate) => candidate.id === id)
  const expected = record === undefined ? NOBODY : Buffer.from(record.hash, 'hex')
  const given = sha256(text)
  const matches = expected.length === given.length && timingSafeEqual(expected, given)
  if (record === undefined || !matches) return undefined
  if (hasExpired(record, now)) return undefined
  return { name: record.name, tokenId: record.id, roles: record.roles }
}

/** Whether a token is of no more use. */
export function hasExpired({ expiresAt }: TokenRecord, now: Date): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime()
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
