/**
 * Many pictures with bounded memory: units of `batch` consecutive inputs are jobs of the scheduler, a few at a time, so that they
 * are decoded ahead while earlier ones are scored. The source is read only as far as the work goes on (backpressure), and one
 * that is slow holds nothing up: what it gave so far is scored and handed out.
 */

import { onAbort, throwIfCancelled } from '../cancellation.js';
import type { CraneError } from '../errors.js';
import { nameOfInput } from '../images/picture-input.js';
import { Bell } from './bell.js';
import { type PictureItem, toItem } from './picture-item.js';
import type { UnplacedScore } from './picture-scorer.js';
import type { ScoreOutcome } from './result.js';
import type { Scheduler } from './scheduler.js';
import type { Job, Preparing, ReadyPicture } from './scheduler-job.js';
import { type Source, SourceReader } from './scheduler-source.js';

export interface Stream {
  scheduler: Pick<Scheduler, 'submit'>;
  /** pictures that a unit may have; asked before each unit */
  batch(): number;
  ordered: boolean;
  /** a unit begins when the one before is done: scores depend on what came before */
  inOrder?: boolean;
  signal: AbortSignal | undefined;
  /** what every unit has; where pictures couple, every unit but the last is full */
  job: Pick<Job<UnplacedScore>, 'method' | 'couplesPictures' | 'priority' | 'deadline'>;
  prepare(item: PictureItem, means: Preparing): Promise<ReadyPicture<UnplacedScore>>;
}

/** One running, one waiting in the native engine, two being decoded. */
const k_unitsAhead = 4;
/** One running, one on its way: with fewer, a unit does not wait for a slow source to fill it. */
const k_unitsBusy = 2;

interface Unit {
  outcomes: Promise<ScoreOutcome[]>;
  isDone: boolean;
}

interface Numbered {
  item: PictureItem;
  index: number;
}

export async function* scoreMany(
  source: Source,
  stream: Stream,
): AsyncGenerator<ScoreOutcome, void, undefined> {
  const { signal, ordered, job } = stream;
  const ahead = stream.inOrder ? 1 : k_unitsAhead;
  const bell = new Bell();
  const reader = new SourceReader(source, bell.ring);
  const running: Unit[] = [];
  let pictures: Numbered[] = [];
  let count = 0;
  // Fires when the caller gives up, by signal or by leaving the loop.
  const left = new AbortController();
  const launch = () => {
    running.push(started(pictures, stream, left.signal, bell));
    pictures = [];
  };
  const stopListening = signal
    ? onAbort(signal, () => {
        left.abort(signal.reason);
        bell.ring();
      })
    : () => {};
  try {
    while (true) {
      throwIfCancelled(signal);
      // First what the source has: the engine must not wait until the caller has dealt with a result.
      const next = running.length < ahead ? await reader.take() : undefined;
      if (next) {
        const item = toItem(next.entry);
        pictures.push({ item, index: item.index ?? count });
        count++;
        if (pictures.length >= stream.batch()) launch();
        continue;
      }
      const isLeftOver = reader.isAtEnd || (!job.couplesPictures && running.length < k_unitsBusy);
      if (pictures.length > 0 && isLeftOver) {
        launch();
        continue;
      }
      const at = ordered && running[0]?.isDone === false ? -1 : running.findIndex(({ isDone }) => isDone);
      if (at >= 0) {
        const [finished] = running.splice(at, 1);
        yield* await finished!.outcomes;
        continue;
      }
      if (running.length === 0 && reader.isAtEnd) break;
      await bell.wait();
    }
    if (reader.failure) throw reader.failure.reason;
  } finally {
    stopListening();
    left.abort();
    await reader.close();
    await Promise.allSettled(running.map(({ outcomes }) => outcomes));
  }
}

function started(pictures: Numbered[], stream: Stream, signal: AbortSignal, bell: Bell): Unit {
  const unit: Unit = { outcomes: scoreUnit(pictures, stream, signal), isDone: false };
  const done = () => {
    unit.isDone = true;
    bell.ring();
  };
  // Awaited later: until then a rejection must not count as unhandled.
  unit.outcomes.then(done, done);
  return unit;
}

/** Never rejects for the fault of a picture; only E_CANCELLED and E_DISPOSED end the iteration. */
async function scoreUnit(
  pictures: Numbered[],
  { scheduler, job, prepare }: Stream,
  signal: AbortSignal,
): Promise<ScoreOutcome[]> {
  const outcomes = await scheduler.submit({
    ...job,
    isCall: false,
    sharesPass: false,
    signal,
    pictures: pictures.map(
      ({ item }) =>
        (means) =>
          prepare(item, means),
    ),
  });
  return outcomes.map((outcome, at) => {
    const picture = pictures[at]!;
    return 'error' in outcome ? failed(picture, outcome.error) : { ...outcome.score, index: picture.index };
  });
}

function failed({ item, index }: Numbered, error: CraneError): ScoreOutcome {
  return { input: item.name ?? nameOfInput(item.input), index, error: error.toJSON() };
}
