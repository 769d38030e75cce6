import type { ConfigProblem } from '../engine/errors.ts'
import { isObject, type OptionRules } from './option-rules.ts'

/** A problem for each option that has to be given and is not; none when the options are no object at all. */
export function findMissing<Options>(
  options: unknown,
  rules: OptionRules<Options>,
  required: readonly (keyof Options & string)[],
  path = '',
): ConfigProblem[] {
  if (!isObject(options)) return []
  return required
    .filter((name) => options[name] === undefined)
    .map((name) => ({ path: path + name, given: 'nothing', allowed: rules[name].allowed }))
}
