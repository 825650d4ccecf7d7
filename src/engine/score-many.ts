/**
 * Many pictures with bounded memory: units of `batch` consecutive inputs are decoded ahead while earlier ones are
 * scored. The source is read only as far as the work goes on (backpressure), and one that is slow holds nothing up: what it
 * gave so far is scored and handed out.
 */

import { throwIfCancelled } from '../cancellation.js';
import { type CraneError, toCraneError } from '../errors.js';
import type { Ticket } from '../images/byte-budget.js';
import type { PictureInput } from '../images/picture-input.js';
import { nameOfInput } from '../images/picture-input.js';
import { Bell } from './bell.js';
import type { PictureItem } from './picture-item.js';
import type { PreparedPicture, UnplacedScore } from './picture-scorer.js';
import type { ScoreOutcome } from './result.js';
import { type Entry, type Source, SourceReader } from './source-reader.js';

export interface ManyWork {
  /** pictures that a unit may have; asked before each unit */
  batch(): number;
  /** scores depend on who shares a unit (compat.batchMean): every unit but the last is full */
  wholeUnits: boolean;
  ordered: boolean;
  signal: AbortSignal | undefined;
  openTicket(): Ticket;
  prepare(
    input: unknown,
    item: Omit<PictureItem, 'input' | 'index'>,
    ticket: Ticket,
  ): Promise<PreparedPicture>;
  /** scores pictures of one unit; they stay prepared, for another try */
  score(pictures: PreparedPicture[]): Promise<UnplacedScore[]>;
}

/** One running, one waiting in the native engine, two being decoded. */
const k_unitsAhead = 4;
/** One running, one on its way: with fewer, a unit does not wait for a slow source to fill it. */
const k_unitsBusy = 2;

interface Running {
  outcomes: Promise<ScoreOutcome[]>;
  isDone: boolean;
}

interface Numbered {
  item: Partial<PictureItem>;
  input: unknown;
  index: number;
}

export async function* scoreMany(
  source: Source,
  work: ManyWork,
): AsyncGenerator<ScoreOutcome, void, undefined> {
  const { signal, ordered, wholeUnits } = work;
  const bell = new Bell();
  const reader = new SourceReader(source, bell.ring);
  const running: Running[] = [];
  let unit: Numbered[] = [];
  let count = 0;
  const launch = () => {
    running.push(started(unit, work, bell));
    unit = [];
  };
  signal?.addEventListener('abort', bell.ring);
  try {
    while (true) {
      throwIfCancelled(signal);
      // First what the source has: the engine must not wait until the caller has dealt with a result.
      const next = running.length < k_unitsAhead ? await reader.take() : undefined;
      if (next) {
        const item = toItem(next.entry);
        unit.push({ item, input: item.input, index: item.index ?? count });
        count++;
        if (unit.length >= work.batch()) launch();
        continue;
      }
      const isLeftOver = reader.isAtEnd || (!wholeUnits && running.length < k_unitsBusy);
      if (unit.length > 0 && isLeftOver) {
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
    signal?.removeEventListener('abort', bell.ring);
    await reader.close();
    await Promise.allSettled(running.map(({ outcomes }) => outcomes));
  }
}

function started(unit: Numbered[], work: ManyWork, bell: Bell): Running {
  const entry: Running = { outcomes: scoreUnit(unit, work), isDone: false };
  const done = () => {
    entry.isDone = true;
    bell.ring();
  };
  // Awaited later: until then a rejection must not count as unhandled.
  entry.outcomes.then(done, done);
  return entry;
}

function toItem(entry: Entry): PictureItem {
  const isItem = typeof entry === 'object' && entry !== null && 'input' in entry;
  return isItem ? (entry as PictureItem) : { input: entry as PictureInput };
}

/** Never rejects for the fault of a picture; only E_CANCELLED and E_DISPOSED end the iteration. */
async function scoreUnit(unit: Numbered[], work: ManyWork): Promise<ScoreOutcome[]> {
  const ticket = work.openTicket();
  const good: PreparedPicture[] = [];
  try {
    const prepared = await Promise.all(unit.map((entry) => prepareOne(entry, work, ticket)));
    for (const entry of prepared) if (!('error' in entry)) good.push(entry);
    for (const entry of prepared) if ('error' in entry) endsAll(entry.error);
    const scored = good.length === 0 ? [] : await scoreGood(good, work);
    let at = 0;
    return prepared.map((entry, position) => {
      const { index } = unit[position]!;
      const outcome = 'error' in entry ? entry : scored[at++]!;
      return 'error' in outcome ? failed(unit[position]!, outcome.error) : { ...outcome, index };
    });
  } finally {
    for (const picture of good) picture.release();
    ticket.close();
  }
}

/** Never rejects, so that the whole unit is known when something has to be released. */
async function prepareOne(
  { item, input }: Numbered,
  work: ManyWork,
  ticket: Ticket,
): Promise<PreparedPicture | { error: CraneError }> {
  try {
    const { input: _input, index: _index, ...choices } = item;
    return await work.prepare(input, choices, ticket);
  } catch (thrown) {
    return { error: toCraneError(thrown) };
  }
}

type Scored = UnplacedScore | { error: CraneError };

/**
 * When a unit fails as a whole, its pictures are scored one by one, so that only the faulty ones fail; not where a score
 * depends on its neighbours, because it would be another one.
 */
async function scoreGood(good: PreparedPicture[], work: ManyWork): Promise<Scored[]> {
  try {
    return await work.score(good);
  } catch (thrown) {
    const error = endsAll(toCraneError(thrown));
    if (good.length === 1 || work.wholeUnits) return good.map(() => ({ error }));
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
