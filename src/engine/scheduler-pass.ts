/**
 * Runs forward passes, and has the one policy for those that fail:
 * - memory did not suffice for several pictures: the pass goes on in halves, and later ones stay as small; it is said once;
 * - several pictures failed together: each is scored by itself, so that only the faulty ones fail;
 * - where pictures couple, a smaller pass would give other scores: all fail, and the error says so.
 */

import type { CancelFlag, MethodOptions, NativeEngine, ScoreRequest, ScoreResult } from '../addon/native.js';
import { CraneError, toCraneError } from '../errors.js';
import type { EngineWarning } from '../options/types.js';
import { tellPass } from './pass-channel.js';
import { followViews } from './pass-progress.js';
import { endsJob, type TensorRequest, type ViewsOfPicture } from './scheduler-job.js';

/** A picture in a pass: exactly one of the two is called, once. */
export interface PassPicture {
  request: ScoreRequest | TensorRequest;
  /** absent: one */
  views?: ViewsOfPicture | undefined;
  /** false: its job was given up */
  readonly isWanted: boolean;
  /** one result, or of a tensor one for each of its pictures */
  succeed(results: ScoreResult[]): void;
  fail(error: CraneError): void;
}

export interface Pass {
  pictures: readonly PassPicture[];
  method: MethodOptions;
  couplesPictures: boolean;
  flag: CancelFlag;
}

/** Of the newest pass's time in the running mean. */
const k_weightOfNewest = 0.2;

export class PassRunner {
  readonly #engine: Pick<NativeEngine, 'score' | 'scorePreprocessed'>;
  readonly #warn: (warning: EngineWarning) => void;
  #limit = Number.POSITIVE_INFINITY;
  /** the size that failed and that nobody was told of yet */
  #untold: number | undefined;
  #done = 0;
  #msPerPicture: number | undefined;
  #lastEnd = 0;

  constructor(
    engine: Pick<NativeEngine, 'score' | 'scorePreprocessed'>,
    warn: (warning: EngineWarning) => void,
  ) {
    this.#engine = engine;
    this.#warn = warn;
  }

  /** Most pictures of one pass since memory ran out; undefined: it never did. */
  get limit(): number | undefined {
    return Number.isFinite(this.#limit) ? this.#limit : undefined;
  }

  /** Forward passes that gave results. */
  get done(): number {
    return this.#done;
  }

  /** Running mean; undefined before the first pass. */
  get msPerPicture(): number | undefined {
    return this.#msPerPicture;
  }

  /** Rejects with what a listener for warnings throws; all other failures are told to the pictures. */
  async run(pass: Pass): Promise<void> {
    for (let rest = pass.pictures; rest.length > 0; ) {
      const most = pass.couplesPictures ? rest.length : this.#limit;
      await this.#attempt(rest.slice(0, most), pass);
      rest = rest.slice(most);
    }
  }

  async #attempt(pictures: readonly PassPicture[], pass: Pass): Promise<void> {
    const began = performance.now();
    try {
      const results = await this.#score(pictures, pass);
      for (const [at, picture] of pictures.entries()) picture.succeed(results[at]!);
    } catch (thrown) {
      await this.#afterFailure(pictures, pass, toCraneError(thrown));
      return;
    }
    this.#tell();
    this.#measure(
      began,
      pictures.reduce((sum, { request }) => sum + countOf(request), 0),
    );
  }

  /** Results of each. */
  async #score(pictures: readonly PassPicture[], { method, flag }: Pass): Promise<ScoreResult[][]> {
    const [first] = pictures;
    if (first && 'tensor' in first.request) {
      const { tensor, shape, context, wantMap } = first.request;
      return [await this.#engine.scorePreprocessed(tensor, shape, context, method, wantMap, flag)];
    }
    const requests = pictures.map(({ request }) => request as ScoreRequest);
    const scored = this.#engine.score(requests, method, flag);
    const stop = followViews(pictures, flag);
    return (await scored.finally(stop)).map((result) => [result]);
  }

  async #afterFailure(pictures: readonly PassPicture[], pass: Pass, error: CraneError): Promise<void> {
    const failAll = (reason: CraneError) => {
      for (const picture of pictures) picture.fail(reason);
    };
    if (pictures.length === 1 || endsJob(error)) return failAll(error);
    if (pass.couplesPictures) return failAll(notParted(error, pictures.length));
    if (error.code === 'E_MEMORY') {
      this.#shrink(pictures.length);
      return this.run({ ...pass, pictures: stillWanted(pictures) });
    }
    for (const picture of pictures)
      if (stillWanted([picture]).length > 0) await this.#attempt([picture], pass);
  }

  /** Two passes that failed side by side at the same size halve it once. */
  #shrink(failed: number): void {
    this.#untold ??= failed;
    this.#limit = Math.min(this.#limit, Math.floor(failed / 2));
  }

  /** Once it is known what does suffice. */
  #tell(): void {
    if (this.#untold === undefined) return;
    const message = `not enough memory for ${this.#untold} pictures in one forward pass: going on with ${this.#limit}; the scores are the same`;
    this.#untold = undefined;
    this.#warn({ code: 'W_SMALLER_BATCH', message });
  }

  /** A pass that waited behind another in the engine took the time since that one's end. */
  #measure(began: number, pictures: number): void {
    const now = performance.now();
    const passMs = now - Math.max(began, this.#lastEnd);
    tellPass(pictures, passMs);
    const ms = passMs / pictures;
    this.#lastEnd = now;
    this.#done++;
    this.#msPerPicture =
      this.#msPerPicture === undefined
        ? ms
        : this.#msPerPicture + k_weightOfNewest * (ms - this.#msPerPicture);
  }
}

function countOf(request: ScoreRequest | TensorRequest): number {
  return 'tensor' in request ? request.shape.batch : 1;
}

/** The others were given up between two tries: they are told, so that each picture has its outcome. */
function stillWanted(pictures: readonly PassPicture[]): PassPicture[] {
  const wanted: PassPicture[] = [];
  for (const picture of pictures) {
    if (picture.isWanted) wanted.push(picture);
    else picture.fail(new CraneError('E_CANCELLED', 'the work was given up'));
  }
  return wanted;
}

function notParted(error: CraneError, pictures: number): CraneError {
  if (error.code === 'E_MEMORY') {
    return new CraneError('E_MEMORY', `${error.message} (${pictures} pictures in one forward pass)`, {
      hint: 'scores depend on the batch (compat.batchMean), so it is not made smaller: choose a smaller batch',
      cause: error,
    });
  }
  return new CraneError(
    error.code,
    `${error.message} (in a forward pass of ${pictures} pictures, which all fail with it)`,
    {
      hint: `scores depend on the batch (compat.batchMean), so none was scored without the others${error.hint ? `; ${error.hint}` : ''}`,
      cause: error,
    },
  );
}
