/**
 * Many pictures with bounded memory: units of `batch` consecutive inputs are decoded ahead while earlier ones are
 * scored. The source is read only as far as the work goes on (backpressure).
 */
import { type CraneError, toCraneError } from '../errors.js';
import type { PictureInput } from '../images/picture-input.js';
import { nameOfInput } from '../images/picture-input.js';
import type { PictureChoices } from '../option-types.js';
import type { Ticket } from './byte-budget.js';
import { cancelled } from './cancellation.js';
import type { PreparedPicture, UnplacedScore } from './picture-scorer.js';
import type { ScoreOutcome } from './result.js';

/** An input with what is its own: a name for the results, prompts, a threshold, ... */
export interface PictureItem
  extends Pick<PictureChoices, 'prompts' | 'fit' | 'tileOverlap' | 'threshold' | 'mapThreshold'> {
  input: PictureInput;
  name?: string;
  /** position to report; default: counted from 0 */
  index?: number;
}

export interface ManyWork {
  batch: number;
  ordered: boolean;
  signal: AbortSignal | undefined;
  openTicket(): Ticket;
  prepare(
    input: unknown,
    item: Omit<PictureItem, 'input' | 'index'>,
    ticket: Ticket,
  ): Promise<PreparedPicture>;
  /** scores pictures of one unit and releases them */
  score(pictures: PreparedPicture[]): Promise<UnplacedScore[]>;
}

/** One running, one waiting in the native engine, two being decoded. */
const k_unitsAhead = 4;

interface Running {
  outcomes: Promise<ScoreOutcome[]>;
}

interface Numbered {
  item: Partial<PictureItem>;
  input: unknown;
  index: number;
}

export async function* scoreMany(
  source: Iterable<PictureInput | PictureItem> | AsyncIterable<PictureInput | PictureItem>,
  work: ManyWork,
): AsyncGenerator<ScoreOutcome, void, undefined> {
  const units = unitsOf(source, work.batch);
  const running: Running[] = [];
  let isExhausted = false;
  try {
    while (true) {
      while (!isExhausted && running.length < k_unitsAhead) {
        throwIfGivenUp(work.signal);
        const next = await units.next();
        if (next.done) isExhausted = true;
        else running.push({ outcomes: markHandled(scoreUnit(next.value, work)) });
      }
      if (running.length === 0) return;
      const first = work.ordered ? running[0]! : await firstDone(running);
      const outcomes = await first.outcomes;
      running.splice(running.indexOf(first), 1);
      yield* outcomes;
    }
  } finally {
    await units.return?.(undefined);
    await Promise.allSettled(running.map((unit) => unit.outcomes));
  }
}

/** The unit that finishes first, well or not. */
function firstDone(running: Running[]): Promise<Running> {
  const settled = (unit: Running) => unit.outcomes.then(() => unit).catch(() => unit);
  return Promise.race(running.map(settled));
}

async function* unitsOf(
  source: Iterable<PictureInput | PictureItem> | AsyncIterable<PictureInput | PictureItem>,
  batch: number,
): AsyncGenerator<Numbered[], void, undefined> {
  let unit: Numbered[] = [];
  let count = 0;
  for await (const entry of source) {
    const item = toItem(entry);
    unit.push({ item, input: item.input, index: item.index ?? count });
    count++;
    if (unit.length === batch) {
      yield unit;
      unit = [];
    }
  }
  if (unit.length > 0) yield unit;
}

function toItem(entry: PictureInput | PictureItem): PictureItem {
  const isItem = typeof entry === 'object' && entry !== null && 'input' in entry;
  return isItem ? (entry as PictureItem) : { input: entry as PictureInput };
}

/** Never rejects for the fault of a picture; only E_CANCELLED and E_DISPOSED end the iteration. */
async function scoreUnit(unit: Numbered[], work: ManyWork): Promise<ScoreOutcome[]> {
  const ticket = work.openTicket();
  try {
    const prepared = await Promise.all(unit.map((entry) => prepareOne(entry, work, ticket)));
    const good = prepared.filter((entry) => !('error' in entry)) as PreparedPicture[];
    const scored = good.length === 0 ? [] : await scoreGood(good, work);
    let at = 0;
    return prepared.map((entry, position) => {
      const { index } = unit[position]!;
      const outcome = 'error' in entry ? entry : scored[at++]!;
      return 'error' in outcome ? failed(unit[position]!, outcome.error) : { ...outcome, index };
    });
  } finally {
    ticket.close();
  }
}

async function prepareOne(
  { item, input }: Numbered,
  work: ManyWork,
  ticket: Ticket,
): Promise<PreparedPicture | { error: CraneError }> {
  try {
    const { input: _input, index: _index, ...choices } = item;
    return await work.prepare(input, choices, ticket);
  } catch (thrown) {
    return { error: endsAll(toCraneError(thrown)) };
  }
}

type Scored = UnplacedScore | { error: CraneError };

/** When a unit fails as a whole, its pictures are scored one by one, so that only the faulty ones fail. */
async function scoreGood(good: PreparedPicture[], work: ManyWork): Promise<Scored[]> {
  try {
    return await work.score(good);
  } catch (thrown) {
    const error = endsAll(toCraneError(thrown));
    if (good.length === 1) return [{ error }];
    const alone: Scored[] = [];
    for (const picture of good) {
      alone.push(
        ...(await work.score([picture]).catch((again: unknown) => [{ error: endsAll(toCraneError(again)) }])),
      );
    }
    return alone;
  }
}

function endsAll(error: CraneError): CraneError {
  if (error.code === 'E_CANCELLED' || error.code === 'E_DISPOSED') throw error;
  return error;
}

function failed({ item, input, index }: Numbered, error: CraneError): ScoreOutcome {
  return { input: item.name ?? nameOfInput(input), index, error: error.toJSON() };
}

function throwIfGivenUp(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** The promise is awaited later: until then its rejection must not count as unhandled. */
function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
