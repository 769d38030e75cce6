/** What somebody may do: see, steer, run commands over pools. */
export const ROLES = ['viewer', 'operator', 'executor'] as const

export type Role = (typeof ROLES)[number]

/** Who is asking. */
export interface Identity {
  /** The token's name; `anonymous` where no tokens are needed. */
  readonly name: string
  readonly tokenId: string | undefined
  readonly roles: readonly Role[]
}

/** What a process of this machine may do that has no token, where there are no tokens: never run anything. */
export const ANONYMOUS: Identity = { name: 'anonymous', tokenId: undefined, roles: ['viewer', 'operator'] }

/** Whether somebody may do what needs a role. Who may steer may see. */
export function may({ roles }: Identity, role: Role): boolean {
  return roles.includes(role) || (role === 'viewer' && roles.includes('operator'))
}
