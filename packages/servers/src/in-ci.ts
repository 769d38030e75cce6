/**
 * Whether this is a CI machine, on which no test may be left out. Systems set `CI` to `true`, to `1` or to their name;
 * tools/test-counts.mjs reads it the same way.
 */
export function inCi(ci = process.env.CI): boolean {
  return ci !== undefined && ci !== '' && ci !== 'false'
}
