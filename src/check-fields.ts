/** Checks the options of a call that has none of THE table's (options/check.ts): names and kinds of values, nothing passed over. */
import { CraneError } from './errors.js';
import { nearestName } from './nearest-name.js';
import { wrongValue } from './wrong-value.js';

export interface Field {
  expected: string;
  accepts: (value: unknown) => boolean;
}

export const flagField: Field = {
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};
export const textField: Field = { expected: 'a string', accepts: (value) => typeof value === 'string' };
export const signalField: Field = {
  expected: 'an AbortSignal',
  accepts: (value) => value instanceof AbortSignal,
};
export const functionField: Field = {
  expected: 'a function',
  accepts: (value) => typeof value === 'function',
};
export const anyField: Field = { expected: 'anything', accepts: () => true };

/**
 * @param what takes them, for messages: `save`, `a normal picture`
 * @throws CraneError E_USAGE for the first unknown name or wrong value; fields that are undefined count as not given
 */
export function checkFields(what: string, given: unknown, fields: Readonly<Record<string, Field>>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw wrongValue('an object', `the options of ${what}`, given);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const field = Object.hasOwn(fields, name) ? fields[name]! : undefined;
    if (field === undefined) throw unknownField(what, name, Object.keys(fields));
    if (!field.accepts(value)) throw wrongValue(field.expected, name, value);
  }
}

function unknownField(what: string, name: string, known: readonly string[]): CraneError {
  const nearest = nearestName(name, known);
  return new CraneError('E_USAGE', `${what} knows no option "${name}"`, {
    hint: nearest ? `did you mean "${nearest}"?` : `it knows ${known.join(', ')}`,
  });
}
