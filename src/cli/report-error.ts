/** Shows an error on stderr: for people, or as JSON. */

import { toCraneError } from '../errors.js';
import { type Context, sayJson, sayLines } from './context.js';

/** @returns the exit code that belongs to the error */
export function reportError(
  context: Context,
  thrown: unknown,
  { json, verbose }: { json: boolean; verbose: boolean },
): number {
  const error = toCraneError(thrown);
  if (json) {
    sayJson(context, { error: error.toJSON() });
    return error.exitCode;
  }
  // Names of files stand in both.
  sayLines(context, `crane-native: ${error.message} [${error.code}]`);
  if (error.hint) sayLines(context, `  ${error.hint}`);
  // A fault of ours: what a report needs.
  if (error.code === 'E_INTERNAL' || verbose)
    sayLines(context, (error.cause instanceof Error ? error.cause : error).stack ?? '');
  return error.exitCode;
}
