/** What is wrong with a text that a schema refused. */
import { z } from 'zod';

/** The first fault in one line; of a text that is no JSON: so. */
export function firstFault(cause: unknown): string {
  return cause instanceof z.ZodError ? z.prettifyError(cause).split('\n').slice(0, 2).join(' ') : 'no JSON';
}
