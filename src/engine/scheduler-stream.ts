/**
 * Many pictures with bounded memory: units of `batch` consecutive inputs are jobs of the scheduler, a few at a time, so that they
 * are decoded ahead while earlier ones are scored. The source is read only as far as the work goes on (backpressure), and one
 * that is slow holds nothing up: what it gave so far is scored and handed out. What results hold (maps in the size of pictures
 * are as large as those) counts in the memory limit until the caller asks for the next one: a caller that is slow stops the
 * decoding ahead of it, not the memory.
 */

import { onAbort, throwIfCancelled } from '../cancellation.js';
import type { CraneError } from '../errors.js';
import { nameOfInput } from '../images/picture-input.js';
import { Bell } from './bell.js';
import type { PictureItem } from './picture-item.js';
import type { UnplacedScore } from './picture-scorer.js';
import type { ScoreOutcome } from './result.js';
import type { Scheduler } from './scheduler.js';
import type { HandOut, Job, Preparing, ReadyPicture } from './scheduler-job.js';
import { type Source, SourceReader } from './scheduler-source.js';

export interface Stream {
  scheduler: Pick<Scheduler, 'submit'>;
  /** pictures that a unit may have; asked before each unit */
  batch(): number;
  ordered: boolean;
  /** a unit begins when the one before is done: scores depend on what came before */
  inOrder?: boolean;
  signal: AbortSignal | undefined;
  /** fires when the engine is disposed: what was accepted comes to its end, and nothing is waited for */
  disposed: AbortSignal;
  /** what every unit has; where pictures couple, every unit but the last is full */
  job: Pick<Job<UnplacedScore>, 'method' | 'couplesPictures' | 'priority' | 'deadline'>;
  prepare(item: PictureItem, means: Preparing): Promise<ReadyPicture<UnplacedScore>>;
}

/** One running, one waiting in the native engine, two being decoded. */
const k_unitsAhead = 4;
/** One running, one on its way: with fewer, a unit does not wait for a slow source to fill it. */
const k_unitsBusy = 2;

interface Unit {
  results: Promise<Result[]>;
  isDone: boolean;
}

interface Result {
  outcome: ScoreOutcome;
  taken(): void;
}

interface Numbered {
  item: PictureItem;
  index: number;
}

export async function* scoreMany(
  source: Source,
  stream: Stream,
): AsyncGenerator<ScoreOutcome, void, undefined> {
  const { signal, disposed, ordered, job } = stream;
  const ahead = stream.inOrder ? 1 : k_unitsAhead;
  const bell = new Bell();
  const reader = new SourceReader(source, bell.ring);
  const running: Unit[] = [];
  const handOut: HandOut<UnplacedScore> = { line: {}, bytesOf: bytesOfResult };
  let pictures: Numbered[] = [];
  let count = 0;
  // Fires when the caller gives up, by signal or by leaving the loop.
  const left = new AbortController();
  const launch = () => {
    running.push(started(scoreUnit(pictures, stream, handOut, left.signal), bell));
    pictures = [];
  };
  const stopListening = signal
    ? onAbort(signal, () => {
        left.abort(signal.reason);
        bell.ring();
      })
    : () => {};
  const stopHearing = onAbort(disposed, bell.ring);
  try {
    while (true) {
      throwIfCancelled(signal);
      // First what the source has: the engine must not wait until the caller has dealt with a result.
      const item = running.length < ahead ? await reader.take() : undefined;
      if (item) {
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
        yield* inTurn(await finished!.results);
        continue;
      }
      if (running.length === 0 && reader.isAtEnd) break;
      if (running.length === 0) throwIfCancelled(disposed);
      await bell.wait();
    }
    if (reader.failure) throw reader.failure.reason;
  } finally {
    stopListening();
    stopHearing();
    left.abort();
    await reader.close();
    const ended = await Promise.allSettled(running.map(({ results }) => results));
    for (const unit of ended) if (unit.status === 'fulfilled') takeAll(unit.value);
  }
}

/** Each is the caller's, and held here no more, from when it asks for the next one. */
function* inTurn(results: Result[]): Generator<ScoreOutcome, void, undefined> {
  try {
    while (results.length > 0) {
      yield results[0]!.outcome;
      results.shift()!.taken();
    }
  } finally {
    takeAll(results);
  }
}

function takeAll(results: Result[]): void {
  for (const { taken } of results.splice(0)) taken();
}

function bytesOfResult({ map, heatmap }: UnplacedScore): number {
  return (map?.data.byteLength ?? 0) + (heatmap?.byteLength ?? 0);
}

function started(results: Promise<Result[]>, bell: Bell): Unit {
  const unit: Unit = { results, isDone: false };
  const done = () => {
    unit.isDone = true;
    bell.ring();
  };
  // Awaited later: until then a rejection must not count as unhandled.
  unit.results.then(done, done);
  return unit;
}

/** Never rejects for the fault of a picture; only E_CANCELLED and E_DISPOSED end the iteration. */
async function scoreUnit(
  pictures: Numbered[],
  { scheduler, job, prepare }: Stream,
  handOut: HandOut<UnplacedScore>,
  signal: AbortSignal,
): Promise<Result[]> {
  const outcomes = await scheduler.submit({
    ...job,
    isCall: false,
    sharesPass: false,
    signal,
    handOut,
    pictures: pictures.map(
      ({ item }) =>
        (means) =>
          prepare(item, means),
    ),
  });
  return outcomes.map((outcome, at) => {
    const picture = pictures[at]!;
    if ('error' in outcome) return { outcome: failed(picture, outcome.error), taken: () => {} };
    const { score, taken } = outcome;
    return { outcome: { ...score, index: picture.index }, taken };
  });
}

function failed({ item, index }: Numbered, error: CraneError): ScoreOutcome {
  return { input: item.name ?? nameOfInput(item.input), index, error: error.toJSON() };
}
