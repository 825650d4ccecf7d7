/** What one of the five ways answers: a root, or why not and which command repairs it. */
import type { LibtorchRoot } from './root.js';

export const ways = ['environment', 'cache', 'python', 'index', 'archive'] as const;
export type Way = (typeof ways)[number];

export interface FoundLibtorch extends LibtorchRoot {
  way: Way;
  /** for the printed choice, for instance 'CRANE_LIBTORCH' or the interpreter */
  through: string;
}

export interface MissedWay {
  way: Way;
  cause: string;
  /** what to do about it, a command where there is one */
  repair: string;
  /** the user named this place: no other way may be taken silently */
  final?: 'E_LIBTORCH_NOT_FOUND' | 'E_LIBTORCH_VERSION';
  /** another version was there */
  otherVersion?: boolean;
}

export type Attempt = { found: FoundLibtorch } | { missed: MissedWay };

export function isFound(attempt: Attempt): attempt is { found: FoundLibtorch } {
  return 'found' in attempt;
}
