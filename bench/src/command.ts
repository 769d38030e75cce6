/** A command as whoever wants to repeat it types it: with what decides what is measured, and no file of this machine's. */
export function commandLine(script: string, args: readonly string[]): string {
  const isFile = (arg: string | undefined): boolean => arg === '--json' || arg === '--from'
  const kept = args.filter((arg, index) => !isFile(arg) && !isFile(args[index - 1]) && !/^--(json|from)=/.test(arg))
  return [`npm run ${script}`, ...(kept.length > 0 ? ['--', ...kept] : [])].join(' ')
}
