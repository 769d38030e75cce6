// The measuring process of the rebuilds.
import { measureOne } from '../src/measuring.ts'
import { rebuilds } from './rebuilds.ts'

await measureOne([rebuilds])
