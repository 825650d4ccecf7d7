/** Repeats what may fail by chance: lost connections, overloaded servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError } from './http-client.js';

export interface RetryPolicy {
  attempts: number;
  /** pause before the second attempt; doubles each time */
  pauseMs: number;
}

export const networkRetries: RetryPolicy = { attempts: 6, pauseMs: 500 };

/**
 * `action` is told how many attempts failed before it. Progress is the action's own business: a download that
 * moved on since the last failure may reset the count by calling `progressed`.
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  log: (line: string) => void,
  action: (progressed: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0;
  for (;;) {
    try {
      return await action(() => {
        failures = 0;
      });
    } catch (thrown) {
      failures++;
      if (failures >= policy.attempts || !mayPass(thrown)) throw thrown;
      const pauseMs = policy.pauseMs * 2 ** (failures - 1);
      log(`  ${explain(thrown)}; again in ${(pauseMs / 1000).toFixed(1)} s`);
      await sleep(pauseMs);
    }
  }
}

/** The reason under a generic "fetch failed" or "other side closed". */
export function explain(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = (thrown as NodeJS.ErrnoException).code;
  const inner = thrown instanceof AggregateError ? thrown.errors[0] : thrown.cause;
  const message = thrown.message || (inner instanceof Error ? inner.message : '') || thrown.name;
  return code && !message.includes(code) ? `${message} (${code})` : message;
}

const passingCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_ABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_EOF_STATE',
]);

/** A server that answers 408, 429 or 5xx may answer otherwise soon; 404 will not. */
function mayPass(thrown: unknown): boolean {
  if (thrown instanceof CutShort) return true;
  if (thrown instanceof HttpError)
    return thrown.status === 408 || thrown.status === 429 || thrown.status >= 500;
  return thrown instanceof Error && passingCodes.has((thrown as NodeJS.ErrnoException).code ?? '');
}

/** A body that ended before all of it was there. */
export class CutShort extends Error {}
