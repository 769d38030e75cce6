// Writes what is generated from the code: `node tools/run.mjs packages/server/src/generate/main.ts`.
import { writeFileSync } from 'node:fs'
import { createConfigSchema, renderSchema } from './config-schema.ts'

writeFileSync(new URL('../../wellpool.schema.json', import.meta.url), renderSchema(createConfigSchema()))
