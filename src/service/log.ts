/** The service's log: JSON lines by pino, without contents of pictures and without tokens. */
import type { Writable } from 'node:stream';
import type { ServeOptions } from '../options/types.js';

export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export async function makeLog(level: ServeOptions['logLevel'], stream: Writable): Promise<Log> {
  const { pino, stdTimeFunctions } = await import('pino');
  const formatters = { level: (label: string) => ({ level: label }) };
  const log: Log = pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, stream);
  return log;
}
