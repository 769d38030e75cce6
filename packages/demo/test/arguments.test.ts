import { describe, expect, it } from 'vitest'
import { parseArguments } from '../src/arguments.ts'

describe('the arguments', () => {
  it('are a length, a port, a wish for help, or nothing', () => {
    expect(parseArguments([])).toEqual({ lastsMs: Number.POSITIVE_INFINITY, port: undefined, help: false })
    expect(parseArguments(['--seconds', '2.5', '--port', '8080'])).toEqual({ lastsMs: 2_500, port: 8_080, help: false })
    expect(parseArguments(['--port', '0', '-h'])).toMatchObject({ port: 0, help: true })
  })

  it.each([
    [['--seconds', '0'], /^--seconds: got '0', allowed is a number from 1 to 86400$/],
    [['--seconds', ''], /^--seconds: got ''/],
    [['--port', '65536'], /^--port: got '65536', allowed is a whole number from 0 to 65535$/],
    [['--port', ''], /^--port: got ''/],
    [['--port', '1.5'], /^--port: got '1.5'/],
    [['--port', 'http'], /^--port: got 'http'/],
    [['--ports', '1'], /--ports/],
  ])('are refused when they are %j', (args, message) => {
    expect(() => parseArguments(args)).toThrow(message)
  })
})
