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
  /** a single call of a user: counts for maxQueue */
  isCall: boolean;
  /** it may share a pass with others of equal method. Otherwise it is a pass. */
  sharesPass: boolean;
  /** how many pictures they are; default: one each */
  count?: number;
  /** higher goes first */
  priority: number;
  /** on the clock of performance.now(): whatever has not begun by then is not begun any more */
  deadline: number | undefined;
  signal: AbortSignal | undefined;
  /** how results are handed out; default: all at once, and what they hold is the caller's from then on */
  handOut?: HandOut<Score>;
}

/** Results that lie there until their caller takes them, as those of a stream do: what they hold counts until then. */
export interface HandOut<Score> {
  /** the same for all jobs whose results one caller takes in turn */
  line: object;
  /** bytes that a result holds */
  bytesOf(score: Score): number;
}

export type Prepare<Score> = (means: Preparing) => Promise<ReadyPicture<Score> | ReadyTensor<Score>>;

export interface Preparing {
  /** for the bytes of decoded pixels, taken before they are held */
  ticket: Ticket;
  /** fires when nobody waits for the picture any more */
  signal: AbortSignal;
}

/** Pictures that are resized and normalised already: as one they are a pass of their own. */
export interface TensorRequest {
  /** [batch, 3, height, width] */
  tensor: Float32Array;
  shape: { batch: number; height: number; width: number };
  context: number;
  wantMap: boolean;
}

/** A picture that fit `tile` shows the model piece by piece. */
export interface ViewsOfPicture {
  count: number;
  /** of those that are done; what it throws fails the picture. Absent: nobody wants to know */
  tell?: (done: number) => void;
}

/** What can go into a pass. */
export interface Ready<Score, Request, Result> {
  request: Request;
  /** absent: one */
  views?: ViewsOfPicture;
  /** from the engine's result to what the caller gets */
  conclude(result: Result): Promise<Score>;
  /** gives back what preparing took; called once */
  release(): void;
}

export type ReadyPicture<Score> = Ready<Score, ScoreRequest, ScoreResult>;
/** With a result for each of its pictures. */
export type ReadyTensor<Score> = Ready<Score, TensorRequest, ScoreResult[]>;

export function isTensor<Score>(
  ready: ReadyPicture<Score> | ReadyTensor<Score>,
): ready is ReadyTensor<Score> {
  return 'tensor' in ready.request;
}

/** What became of a picture: one each, whatever happens, unless the whole job is given up or the engine is disposed. */
export type Outcome<Score> = Scored<Score> | { error: CraneError };

interface Scored<Score> {
  score: Score;
  /** The caller has taken it: what it holds counts no more. Matters with `handOut`; may be called twice. */
  taken(): void;
}

/** Faults of no picture: a job ends with them. */
export function endsJob({ code }: CraneError): boolean {
  return code === 'E_CANCELLED' || code === 'E_DISPOSED';
}
