import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { fromFactory } from '../src/drivers/factory.ts'
import { ConfigError } from '../src/index.ts'
import { openTelemetry } from '../src/telemetry/opentelemetry.ts'
import { prometheus } from '../src/telemetry/prometheus.ts'

// In TypeScript none of them compiles.
test.each<[string, string, (options: never) => unknown]>([
  ['prometheus()', 'register', prometheus],
  ['openTelemetry()', 'meterProvide', openTelemetry],
  ['fromFactory()', 'protocl', (options) => fromFactory({ create: () => ({}), destroy: () => {} }, options)],
])('%s refuses the option %s', (_, name, make) => {
  let thrown: unknown
  try {
    make({ [name]: new Registry() } as never)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(ConfigError)
  expect((thrown as ConfigError).problems).toMatchObject([{ path: name, given: 'an unknown option' }])
})
