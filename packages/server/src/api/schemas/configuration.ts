import Type from 'typebox'
import { closed } from './common.ts'

export const PauseBody = closed({
  failWaiting: Type.Optional(
    Type.Boolean({ description: 'Whether those who wait, and those who come, are refused at once. Default false.' }),
  ),
})

export const EvictBody = closed({
  interruptInUse: Type.Optional(
    Type.Boolean({ description: 'Whether leased clients are destroyed too, instead of being closed on release. Default false.' }),
  ),
})

const Options = Type.Record(Type.String(), Type.Unknown())

export const ConfigurationSchema = Type.Object({
  pools: Type.Record(Type.String(), Type.Object({ protocol: Type.String(), options: Options }), {
    description: 'The options in force of each pool, defaults included; `infinity` turns a limit off.',
  }),
  file: Type.Optional(Type.String({ description: 'The file of the agent.' })),
  content: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'What stands in it, secrets masked.' })),
  loadedAt: Type.Optional(Type.Number({ description: 'When it was last applied; ms since 1970.' })),
})

const Names = Type.Array(Type.String())

export const ReloadBody = closed({
  dryRun: Type.Optional(Type.Boolean({ description: 'Whether only to say what would be done. Default false.' })),
})

export const ReloadResult = Type.Object({
  applied: Type.Boolean(),
  added: Names,
  removed: Names,
  replaced: Type.Array(Type.String(), { description: 'Pools whose driver has other options: the old one is drained.' }),
  reconfigured: Names,
  unchanged: Names,
  needsRestart: Type.Array(Type.String(), { description: 'Settings of the file that only hold after a restart.' }),
})
