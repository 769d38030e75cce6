import { type SpawnOptions, spawn } from 'node:child_process'

/**
 * Runs a program and resolves with what it wrote to its standard output.
 *
 * @throws Error with all that it wrote, when it can't be run or ends with another code than 0.
 */
export async function runToEnd(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let all = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
    all += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    all += text
  })
  const how = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(signal ?? `code ${code}`))
  })
  if (how !== 'code 0') throw new Error(`${command} ended with ${how}:\n${all}`)
  return output
}
