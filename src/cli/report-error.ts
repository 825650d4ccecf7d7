/** Shows an error on stderr: for people, or as JSON. */

import { toCraneError } from '../errors.js';
import { visibleLines } from '../terminal/visible.js';
import { type Context, say } from './context.js';

/** @returns the exit code that belongs to the error */
export function reportError(
  context: Context,
  thrown: unknown,
  { json, verbose }: { json: boolean; verbose: boolean },
): number {
  const error = toCraneError(thrown);
  if (json) {
    say(context, JSON.stringify({ error: error.toJSON() }));
    return error.exitCode;
  }
  // Names of files stand in both.
  say(context, visibleLines(`crane-native: ${error.message} [${error.code}]`));
  if (error.hint) say(context, visibleLines(`  ${error.hint}`));
  // A fault of ours: what a report needs.
  if (error.code === 'E_INTERNAL' || verbose)
    say(context, (error.cause instanceof Error ? error.cause : error).stack ?? '');
  return error.exitCode;
}
