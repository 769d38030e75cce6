// Writes what is generated from the code: `npm run generate`.
import { readFileSync, writeFileSync } from 'node:fs'
import { createConfigSchema } from './config-schema.ts'
import { createOpenApi } from './openapi.ts'

const folder = new URL('../../', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string }

const write = (name: string, content: object): void => writeFileSync(new URL(name, folder), `${JSON.stringify(content, null, 2)}\n`)

write('wellpool.schema.json', createConfigSchema())
write('openapi.json', await createOpenApi(version))
