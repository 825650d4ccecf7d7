/** What the scheduler takes: pictures that belong together, and what decides when and how they are scored. */
import type { MethodOptions, ScoreRequest, ScoreResult } from '../addon/native.js';
import type { CraneError } from '../errors.js';
import type { Ticket } from '../images/byte-budget.js';

export interface Job<Score> {
  /** how each picture gets ready; called once, when the job is accepted */
  pictures: readonly Prepare<Score>[];
  method: MethodOptions;
  /** a score depends on who shares the pass: the job is one pass, never merged, split or repeated in part */
  couplesPictures: boolean;
  /** a single call: it may share a pass with others of equal method, and counts for maxQueue. Otherwise it is a pass. */
  sharesPass: boolean;
  /** higher goes first */
  priority: number;
  /** on the clock of performance.now(): whatever has not begun by then is not begun any more */
  deadline: number | undefined;
  signal: AbortSignal | undefined;
}

export type Prepare<Score> = (means: Means) => Promise<ReadyPicture<Score>>;

export interface Means {
  /** for the bytes of decoded pixels, taken before they are held */
  ticket: Ticket;
  /** fires when nobody waits for the picture any more */
  signal: AbortSignal;
}

/** A picture that can go into a pass. */
export interface ReadyPicture<Score> {
  request: ScoreRequest;
  /** from the engine's result to what the caller gets */
  conclude(result: ScoreResult): Promise<Score>;
  /** gives back what preparing took; called once */
  release(): void;
}

/** What became of a picture: one each, whatever happens, unless the whole job is given up or the engine is disposed. */
export type Outcome<Score> = { score: Score } | { error: CraneError };

/** Faults of no picture: a job ends with them. */
export function endsJob({ code }: CraneError): boolean {
  return code === 'E_CANCELLED' || code === 'E_DISPOSED';
}
