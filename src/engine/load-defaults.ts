/** What an engine takes where its caller says nothing, or says it shorter. */
import type { EngineWarning, Size } from '../options/types.js';

/** Shown once on stderr unless the process listens to its 'warning' event. */
export function emitWarning({ code, message }: EngineWarning): void {
  process.emitWarning(message, { type: 'CraneWarning', code });
}

export function toSize(size: number | Size): Size {
  return typeof size === 'number' ? { width: size, height: size } : size;
}
