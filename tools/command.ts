// How the repository's own commands are run, and read what they are asked to do: `npm start`, `npm run bench` and their like.
import path from 'node:path'

/**
 * Runs a command: does what it is asked to do, and ends with the exit code that comes of it. Its usage is printed if that is
 * asked for. Arguments that make no sense are told together with it, and the exit code is 2.
 *
 * @param parse throws an Error that says what is wrong
 * @param main returns the exit code
 */
export async function runCommand<Asked extends { readonly help: boolean }>(
  usage: string,
  parse: (args: readonly string[]) => Asked,
  main: (asked: Asked) => Promise<number>,
): Promise<void> {
  let asked: Asked
  try {
    asked = parse(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  if (asked.help) console.log(usage)
  else process.exitCode = await main(asked)
}

/** @throws Error that says what is wrong with the option's text */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw wrong(option, text, 'a whole number from 1')
  return value
}

/** The same for what need not be given. */
export function wholeNumberIfGiven(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(option, text)
}

/** The error for an option's text that is none of those allowed. */
export function wrong(option: string, given: string, allowed: string): Error {
  return new Error(`--${option}: got '${given}', allowed is ${allowed}`)
}

/**
 * What is named, in the order of all; all if nothing is.
 *
 * @throws Error when there is none of that name; with those that there are
 */
export function choose(what: string, wanted: readonly string[], all: readonly string[]): readonly string[] {
  const unknown = wanted.filter((name) => !all.includes(name))
  if (unknown.length > 0) throw new Error(`no ${what} is called ${unknown.join(', ')}; there are ${all.join(', ')}`)
  return wanted.length === 0 ? all : all.filter((name) => wanted.includes(name))
}

/** The names in a text such as `a,b`; none when it is not given. */
export function list(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(',').filter((name) => name !== '')
}

/** A file as the user means it: seen from where they are, and npm runs scripts in the package's folder. */
export function fromHere(file: string): string {
  return path.resolve(process.env.INIT_CWD ?? '.', file)
}

/** How far it is, in a line of the terminal that changes. Elsewhere nothing: an empty text clears it. */
export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}
