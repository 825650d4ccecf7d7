/** What is wrong with a text that a schema refused. */
import { z } from 'zod';

/** The first fault in one line; of a text that is no JSON or no UTF-8 (files/line-file.ts): so. */
export function firstFault(cause: unknown): string {
  if (cause instanceof z.ZodError) return z.prettifyError(cause).split('\n').slice(0, 2).join(' ');
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'no UTF-8' : 'no JSON';
}
