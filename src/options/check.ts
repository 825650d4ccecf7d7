/** Checks the options of a library call against THE table. */
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { checkPath, wrongValue } from '../wrong-value.js';
import type { LibraryCall } from './kinds.js';
import { findOption, optionNames, options } from './table.js';

export { checkPath, wrongValue };

/** Fields of the calls that are no option of the table. */
const otherFields: Record<LibraryCall, readonly string[]> = {
  loadEngine: ['signal', 'onWarning', 'onProgress'],
  score: ['signal', 'name', 'legend', 'ignore', 'onProgress'],
  scoreMany: ['signal', 'legend', 'ignore', 'onProgress'],
  scorePreprocessed: ['signal', 'batch', 'size', 'map'],
  learnNormals: ['signal', 'onProgress', 'onNotes'],
  heatMap: ['signal', 'legend'],
  openDataSet: ['name'],
  createTrainer: ['engine', 'data', 'out', 'resume', 'force'],
  evaluateDataSets: ['engine', 'data', 'out', 'resume', 'force', 'signal', 'onProgress'],
  calibrate: ['engine', 'data', 'signal', 'onProgress'],
};

/**
 * The options as they are now, checked: what the caller does with its objects later decides nothing. Fields that are undefined count
 * as not given, and are left out.
 * @throws CraneError E_USAGE for the first unknown name or wrong value
 */
export function checkOptions<T>(call: LibraryCall, given: T): T {
  if (given === undefined) return given;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongValue('an object', `the options of ${call}`, given);
  }
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  const own = said.map(([name, value]) => [name, ownValue(value)] as const);
  for (const [name, value] of own) {
    if (name === 'compat') checkCompat(call, value);
    else if (otherFields[call].includes(name)) checkOtherField(name, value);
    else checkOne(call, name, value);
  }
  return Object.fromEntries(own) as T;
}

/** A copy of a list, or of a plain object and its lists; what does something (a stream) or has a class (a bank, numbers) is itself. */
export function ownValue<T>(value: T): T {
  if (Array.isArray(value)) return [...value] as T;
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, Array.isArray(field) ? [...field] : field]),
  ) as T;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // That of another realm (Jest) is not ours.
  const isBare = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isBare && !Object.values(value).some((field) => typeof field === 'function');
}

function checkCompat(call: LibraryCall, compat: unknown): void {
  if (typeof compat !== 'object' || compat === null || Array.isArray(compat))
    throw wrongValue('an object', 'compat', compat);
  for (const [name, value] of Object.entries(compat)) {
    if (value !== undefined) checkOne(call, `compat.${name}`, value);
  }
}

function checkOne(call: LibraryCall, name: string, value: unknown): void {
  const spec = findOption(name);
  if (!spec?.scope.includes('library')) throw unknownOption(call, name);
  if (!spec.calls?.includes(call)) {
    throw new CraneError(
      'E_USAGE',
      `${call} takes no option "${name}": it belongs to ${spec.calls?.join(', ')}`,
    );
  }
  if (!spec.accepts(value)) throw wrongValue(spec.expected, name, value);
}

function checkOtherField(name: string, value: unknown): void {
  if (name === 'signal' && !(value instanceof AbortSignal)) throw wrongValue('an AbortSignal', name, value);
  if (/^on[A-Z]/.test(name) && typeof value !== 'function') throw wrongValue('a function', name, value);
  if (name === 'name' && typeof value !== 'string') throw wrongValue('a string', name, value);
  if ((name === 'resume' || name === 'force' || name === 'legend') && typeof value !== 'boolean')
    throw wrongValue('true or false', name, value);
}

function unknownOption(call: LibraryCall, name: string): CraneError {
  const known = optionNames.filter((option) =>
    (options[option].calls as readonly string[] | undefined)?.includes(call),
  );
  const nearest = nearestName(name, [...known, ...otherFields[call]]);
  return new CraneError('E_USAGE', `${call} knows no option "${name}"`, {
    hint: nearest ? `did you mean "${nearest}"?` : `it knows ${known.join(', ')}`,
  });
}
