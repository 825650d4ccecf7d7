/** Cuts pictures into chunks, keeps them in the store, and asks for each chunk once. */
import { throwIfCancelled } from '../cancellation.js';
import { CraneError } from '../errors.js';
import { Listing } from '../scoring/shards.js';
import type { Store } from '../stores/store.js';
import type { JobAsk, WorkQueue } from './queue.js';
import {
  type ChunkLine,
  chunkKey,
  parsedAs,
  places,
  type Submission,
  settingsKey,
  submission as submissionSchema,
  type WorkSettings,
} from './submission.js';

export interface SubmitWork {
  pictures: AsyncIterable<ChunkLine>;
  settings: WorkSettings;
  /** what was asked for, in words: the same work gets the same id */
  title: string;
  store: Store;
  queue: Pick<WorkQueue, 'ask' | 'allow'>;
  /** pictures of a chunk */
  chunk: number;
  ask: Omit<JobAsk, 'data'>;
  stop: AbortSignal;
  onChunk?: (pictures: number) => void;
}

export interface Submitted {
  /** names it for `queue` and `merge` */
  id: string;
  pictures: number;
  chunks: number;
  /** chunks that have results in the store already */
  done: number;
}

/** Holds one chunk of pictures. @throws CraneError E_DATA_EMPTY, E_CANCELLED, and of the store and the queue */
export async function submitWork(work: SubmitWork): Promise<Submitted> {
  const { settings, store } = work;
  const id = settingsKey({ ...settings, again: `${settings.again ?? ''} ${store.address} ${work.title}` });
  // Before the first job: a worker takes it at once.
  await work.queue.allow(id);
  const listing = new Listing();
  const chunks: Submission['chunks'] = [];
  let done = 0;
  let waiting: ChunkLine[] = [];
  const send = async () => {
    const text = waiting.map((line) => `${JSON.stringify(line)}\n`).join('');
    const key = chunkKey(settings, text);
    chunks.push({ key, count: waiting.length });
    const isDone = await store.has(places.done(key));
    if (isDone) done++;
    else {
      await store.write(places.chunk(key), text);
      const data = { store: store.address, submission: id, chunk: key, count: waiting.length, settings };
      await work.queue.ask({ ...work.ask, data });
    }
    work.onChunk?.(waiting.length);
    waiting = [];
  };
  for await (const picture of work.pictures) {
    throwIfCancelled(work.stop);
    listing.add(picture.id ?? picture.uri);
    waiting.push(picture);
    if (waiting.length === work.chunk) await send();
  }
  if (waiting.length > 0) await send();
  const inputs = listing.close();
  if (inputs.count === 0) throw new CraneError('E_DATA_EMPTY', 'there are no pictures to submit');
  const record: Submission = { format: 'crane-native submission', version: 1, settings, inputs, chunks };
  await store.write(places.submission(id), `${JSON.stringify(record)}\n`);
  return { id, pictures: inputs.count, chunks: chunks.length, done };
}

/** @throws CraneError E_SHARDS where it is none, E_INPUT_NOT_FOUND */
export async function readSubmission(store: Store, id: string): Promise<Submission> {
  const place = places.submission(id);
  return parsedAs(submissionSchema, await store.read(place), `${store.address}/${place}`);
}
