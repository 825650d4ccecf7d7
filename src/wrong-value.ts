/** The one message for a wrong value, and the checks that every room needs. */
import { inspect } from 'node:util';
import { CraneError } from './errors.js';

/** Of a value in a message: objects may have any number of fields. */
const k_maxShown = 300;

export function wrongValue(expected: string, name: string, value: unknown): CraneError {
  const text = inspect(value, {
    depth: 1,
    maxStringLength: 80,
    maxArrayLength: 8,
    breakLength: Number.POSITIVE_INFINITY,
  });
  const shown = text.length > k_maxShown ? `${text.slice(0, k_maxShown)}...` : text;
  return new CraneError(
    'E_USAGE',
    `Expected ${expected} for ${name} but received ${shown} of type ${typeName(value)}`,
  );
}

/**
 * Of a place in the file system. What follows a zero character would be cut off where native code opens it: another file, which may be there.
 * @throws CraneError E_USAGE
 */
export function checkPath(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '' || value.includes('\0'))
    throw wrongValue('a path', name, value);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  return value.constructor?.name || 'object';
}
