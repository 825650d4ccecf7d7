/** What a worker does with one job: agrees with the others, scores the chunk, commits its part once. */
import { createHash, randomBytes } from 'node:crypto';
import { UnrecoverableError } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Engine } from '../engine/engine.js';
import type { ScoreOutcome } from '../engine/result.js';
import { CraneError } from '../errors.js';
import type { ResultLine } from '../sinks/result-line.js';
import { parsedRow } from '../sinks/result-rows.js';
import { openStore } from '../stores/open-store.js';
import type { Store } from '../stores/store.js';
import { type ChunkJob, coded, forget, isCancelled, queueError, rowField, rowsKey } from './queue.js';
import { RowLabels } from './row-labels.js';
import { type KeptRows, scoreChunk } from './score-chunk.js';
import {
  type ChunkLine,
  type DoneRecord,
  doneRecord,
  type JobData,
  jobData,
  type Pins,
  parseChunk,
  parsedAs,
  pins as pinsSchema,
  places,
  settingsKey,
} from './submission.js';

export interface ChunkChoices {
  engine: Engine;
  /** name of the engine's model */
  model: string;
  pins: Omit<Pins, 'model' | 'threshold' | 'mapThreshold'>;
  queue: string;
  /** nothing new begins once it fires */
  stop: AbortSignal;
  events: ChunkEvents;
}

export interface ChunkEvents {
  onPicture(outcome: ScoreOutcome): void;
  onChunk(outcome: { chunk: string; rows: number; ms: number; isNew: boolean }): void;
}

/** Rows that nobody adds to for so long are of work that was given up. */
const k_rowsSeconds = 30 * 24 * 3600;
const k_cancelChecks = 1000;
const k_foreign = 'this worker is not like the others of this work';

/** Whether another worker has to do what this one may not. */
export function isForeign(error: CraneError): boolean {
  return error.code === 'E_SHARDS' && error.message.startsWith(k_foreign);
}

export class ChunkJobs {
  readonly #redis: Redis;
  readonly #choices: ChunkChoices;
  /** written once and never changed, so each is asked for once */
  readonly #agreed = new Map<string, Pins>();

  constructor(redis: Redis, choices: ChunkChoices) {
    this.#redis = redis;
    this.#choices = choices;
  }

  /** @throws UnrecoverableError for what no try can mend, CraneError: what isForeign says, E_CANCELLED, of engine and store */
  async workOn(job: ChunkJob): Promise<{ rows: number }> {
    const began = performance.now();
    const { events } = this.#choices;
    const data = dataOf(job);
    const { chunk, count } = data;
    const store = await openStore(data.store);
    try {
      // Asked for together: each answer of a store takes its time.
      const chunkText = store.read(places.chunk(chunk));
      chunkText.catch(() => {});
      const isNew =
        !(await store.has(places.done(chunk))) && (await this.#score(job, data, store, chunkText));
      // Also of a worker that was killed after its part was committed. Nobody waits for it: the job's end is sent after it, and what
      // could stay goes by itself.
      forget(this.#redis, this.#choices.queue, data).catch(() => {});
      events.onChunk({ chunk, rows: count, ms: Math.round(performance.now() - began), isNew });
      return { rows: count };
    } finally {
      store.close();
    }
  }

  /** @returns whether the part that counts is this one */
  async #score(job: ChunkJob, data: JobData, store: Store, chunkText: Promise<Uint8Array>): Promise<boolean> {
    const { chunk, settings } = data;
    const { engine, events } = this.#choices;
    const pins = await this.#pinsOf(store, settings);
    const pictures = parseChunk(await chunkText, `${store.address}/${places.chunk(chunk)}`);
    const { signal, end } = this.#stopOf(data);
    const isLastTry = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const rows = this.#keptRows(data, pins, store);
    try {
      const { onPicture } = events;
      await scoreChunk({
        engine,
        key: chunk,
        pictures,
        settings,
        store,
        rows,
        isLastTry,
        stop: signal,
        onPicture,
      });
    } finally {
      end();
    }
    const kept = await coded(this.#redis.hgetall(rowsKey(this.#choices.queue, data)));
    const lines = linesOf(kept, pins, pictures.length);
    // Rows go when a part is committed: perhaps by the one who took this chunk over.
    if (lines === undefined && (await store.has(places.done(chunk)))) return false;
    return commitPart(store, chunk, lines ?? lost(chunk), pins, pictures);
  }

  /** Rows that workers with these pins made. Those whose files are no longer in the store are made anew. */
  #keptRows(data: JobData, pins: Pins, store: Store): KeptRows {
    const key = rowsKey(this.#choices.queue, data);
    return {
      done: async () => {
        const kept = await coded(this.#redis.hgetall(key));
        const files =
          data.settings.maps || data.settings.heatmaps ? await filesOf(store, data.chunk) : undefined;
        const done = new Set<number>();
        for (let index = 0; index < data.count; index++) {
          const field = rowField(pins, index);
          const line = kept[field];
          if (line === undefined) continue;
          if (files && !hasFiles(parsedRow(line, `row ${index} of ${data.chunk} in Redis`), files))
            await coded(this.#redis.hdel(key, field));
          else done.add(index);
        }
        return done;
      },
      // The first one stays, should a worker that was given up come back late.
      keep: async (index, line) => {
        const asked = this.#redis
          .pipeline()
          .hsetnx(key, rowField(pins, index), line)
          .expire(key, k_rowsSeconds);
        for (const [fault] of (await coded(asked.exec())) ?? []) if (fault) throw queueError(fault);
      },
    };
  }

  /** Fires when the worker ends, and when all submissions are cancelled that want the chunk. */
  #stopOf(data: JobData): { signal: AbortSignal; end(): void } {
    const stop = new AbortController();
    const onStop = () => stop.abort();
    const ofWorker = this.#choices.stop;
    ofWorker.addEventListener('abort', onStop, { once: true });
    if (ofWorker.aborted) onStop();
    const watching = setInterval(() => {
      void isCancelled(this.#redis, this.#choices.queue, data)
        .then((is) => is && onStop())
        .catch(() => {});
    }, k_cancelChecks).unref();
    const end = () => {
      clearInterval(watching);
      ofWorker.removeEventListener('abort', onStop);
    };
    return { signal: stop.signal, end };
  }

  /** The first worker says what all have to be. @throws CraneError E_SHARDS */
  async #pinsOf(store: Store, settings: JobData['settings']): Promise<Pins> {
    const work = `${store.address} ${settingsKey(settings)}`;
    const pins = this.#agreed.get(work) ?? (await agreedPins(store, settings, this.#choices));
    this.#agreed.set(work, pins);
    return pins;
  }
}

/** @throws UnrecoverableError for what no try can mend */
function dataOf(job: ChunkJob): JobData {
  try {
    return parsedAs(jobData, JSON.stringify(job.data), `job ${job.id}`);
  } catch (cause) {
    throw new UnrecoverableError((cause as Error).message);
  }
}

async function agreedPins(
  store: Store,
  settings: JobData['settings'],
  { engine, model, pins }: ChunkChoices,
): Promise<Pins> {
  if (settings.model !== model)
    throw new CraneError(
      'E_SHARDS',
      `${k_foreign}: it has the model ${model}, the work wants ${settings.model}`,
      {
        hint: `worker --model ${settings.model}; work of several models goes through queues of their own (--queue)`,
      },
    );
  const { threshold, mapThreshold } = await engine.settledSettings(settings.choices);
  const own: Pins = { model: await engine.labelOf(settings.choices), threshold, mapThreshold, ...pins };
  const place = places.pins(settings);
  if (await store.create(place, `${JSON.stringify(own)}\n`)) return own;
  const agreed = parsedAs(pinsSchema, await store.read(place), `${store.address}/${place}`);
  for (const name of Object.keys(own) as (keyof Pins)[]) {
    if (own[name] === agreed[name] || agreed[name] === undefined) continue;
    throw new CraneError('E_SHARDS', `${k_foreign}: ${name} ${own[name]}, expected ${agreed[name]}`, {
      hint: /threshold/i.test(name)
        ? 'all workers need the same calibrations, or give --threshold and --map-threshold to submit'
        : 'start it with the same --model, --precision and --threads, and CRANE_KERNELS',
    });
  }
  return agreed;
}

async function filesOf(store: Store, chunk: string): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { key } of store.list(`maps/${chunk}/`)) keys.add(key);
  return keys;
}

function hasFiles(row: ResultLine, files: ReadonlySet<string>): boolean {
  if ('error' in row) return true;
  return [row.map, row.heatmap].every((file) => file === undefined || files.has(file));
}

/** Undefined: they are not all there. */
function linesOf(kept: Record<string, string>, pins: Pins, count: number): string[] | undefined {
  const lines = Array.from({ length: count }, (_, index) => kept[rowField(pins, index)]);
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

/** Another try makes them anew. */
function lost(chunk: string): never {
  throw new CraneError('E_QUEUE', `rows of ${chunk} are no longer in Redis`, {
    hint: 'it may lose nothing: appendonly yes, appendfsync always, maxmemory-policy noeviction',
  });
}

/**
 * A part gets a name of its own first: of two workers with one chunk the record of the first one counts.
 * @returns whether it is this one
 */
export async function commitPart(
  store: Store,
  chunk: string,
  lines: string[],
  pins: Pins,
  pictures: readonly ChunkLine[],
): Promise<boolean> {
  const rows = lines.map((line, at) => parsedRow(line, `row ${at} of ${chunk} in Redis`));
  const labels = new RowLabels();
  for (const [at, row] of rows.entries()) {
    const wrong = labels.check(row, pictures[at]!, pins);
    if (wrong !== undefined) {
      throw new CraneError('E_SHARDS', `row ${at} of ${chunk} in Redis: ${wrong}`, {
        hint: 'queue cancel takes rows away; submit once more then',
      });
    }
  }
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const file = `${chunk}.${randomBytes(6).toString('hex')}.jsonl`;
  // Nothing has this name, so nothing has to be replaced, which costs a folder more than a new name does.
  await store.create(places.part(file), bytes);
  const record: DoneRecord = {
    format: 'crane-native part',
    version: 1,
    file,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    rows: lines.length,
    failed: rows.filter((row) => 'error' in row).length,
    pins,
  };
  const place = places.done(chunk);
  if (await store.create(place, `${JSON.stringify(record)}\n`)) return true;
  // Perhaps our own: where the answer to its making was lost, the second try finds it there.
  const counts = parsedAs(doneRecord, await store.read(place), `${store.address}/${place}`);
  const isOurs = counts.file === file;
  if (!isOurs) await store.remove(places.part(file));
  return isOurs;
}
