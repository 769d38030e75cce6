import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false } as const
const duration = (description: string) => Type.Unsafe<string | number>({ type: ['string', 'number'], description })

/** The section `server`: how the agent is reached. */
export const ServerSection = Type.Object(
  {
    host: Type.Optional(
      Type.String({ minLength: 1, description: 'The address to listen on. Default 127.0.0.1. Others than loopback need tokens.' }),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65_535, description: 'The port to listen on; 0: any free one. Default 7710.' }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          cert_file: Type.String({ minLength: 1, description: 'The certificate and those that lead to its issuer, in PEM.' }),
          key_file: Type.String({ minLength: 1, description: 'Its private key, in PEM.' }),
        },
        { ...closed, description: 'Speaks HTTPS. The files are read again on a reload.' },
      ),
    ),
    tokens_file: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Where the tokens of those who may use the API are kept, as hashes: see `wellpool token create`.',
      }),
    ),
    audit_log: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'The file to which every change is appended: who, what, when, with what result. Default: none is written.',
      }),
    ),
    dashboard: Type.Optional(Type.Boolean({ description: 'Whether the dashboard is served, where it is installed. Default true.' })),
    event_history: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 100_000, description: 'How many events of each kind are remembered. Default 500.' }),
    ),
    max_event_clients: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10_000, description: 'How many may follow events at the same time. Default 100.' }),
    ),
  },
  { ...closed, description: 'How the agent is reached.' },
)

/** The section `log`. */
export const LogSection = Type.Object(
  {
    level: Type.Optional(
      Type.Union(
        ['debug', 'info', 'warn', 'error', 'silent'].map((level) => Type.Literal(level)),
        { description: 'What is written: events of leases at debug, decisions at info. Default info.' },
      ),
    ),
  },
  { ...closed, description: 'What the agent writes to its standard output, as lines of JSON.' },
)

/** The section `execute` of a pool: what those who may execute can run over it. */
export const ExecuteSection = Type.Object(
  {
    allow: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description:
        "The commands or statements that may be run. `*` stands for anything but line breaks, quotes and the characters `; & | < > $ \\ `` `; a lone '*' allows everything.",
    }),
    read_only: Type.Optional(
      Type.Boolean({
        description: 'Whether changes are refused: by the server, where the protocol can. Default true; SSH can only be false.',
      }),
    ),
    timeout: Type.Optional(duration('The longest that one call may take, also if it asks for more. Default 30s.')),
    max_output: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_073_741_824, description: 'The most that one call brings back, in bytes. Default 1048576.' }),
    ),
    max_rows: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'The most rows that one statement brings back. Default 1000.' }),
    ),
  },
  { ...closed, description: 'What may be run over this pool by those whose token has the role executor. Without it: nothing.' },
)

export type ServerSection = Static<typeof ServerSection>
export type LogSection = Static<typeof LogSection>
export type ExecuteSection = Static<typeof ExecuteSection>

/** When the agent ends, leases get this long. */
export const drainTimeout = duration('How long leases are waited for when the agent ends, or a pool is replaced. Default 30s.')
