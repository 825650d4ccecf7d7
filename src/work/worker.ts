/** A worker: takes chunks from the queue, scores them, commits each once. */
import { createHash, randomBytes } from 'node:crypto';
import { DelayedError, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Engine } from '../engine/engine.js';
import { CraneError, toCraneError } from '../errors.js';
import { openStore } from '../stores/open-store.js';
import type { Store } from '../stores/store.js';
import { type ChunkJob, cancelKey, connectRedis, rowsKey } from './queue.js';
import { scoreChunk } from './score-chunk.js';
import {
  type DoneRecord,
  type JobData,
  jobData,
  type Pins,
  parseChunk,
  parsedAs,
  pins as pinsSchema,
  places,
} from './submission.js';

export interface WorkerChoices {
  engine: Engine;
  /** name of the engine's model */
  model: string;
  pins: Omit<Pins, 'model'>;
  redis: string;
  queue: string;
  /** a worker that says nothing for so long is taken for dead, and its chunk goes to another */
  lockMs: number;
  /** most chunks a minute, of all workers of the queue; 0: no limit */
  jobsPerMinute: number;
  /** end when nothing waits any more */
  untilEmpty: boolean;
  stop: AbortSignal;
  events: WorkerEvents;
}

export interface WorkerEvents {
  onRow(): void;
  onChunk(outcome: { chunk: string; rows: number; ms: number; isNew: boolean }): void;
  onFault(chunk: string, reason: string, isDead: boolean): void;
}

/** How often a killed worker's chunk may come back: kills are no fault of a chunk. */
const k_stalls = 1000;
const k_idleChecks = 500;

/**
 * Works until `stop` fires or, with untilEmpty, until nothing waits. What is in work then is put back with its rows.
 * @throws CraneError E_QUEUE, E_SHARDS where this worker's scores would not be those of the others
 */
export async function runWorker(choices: WorkerChoices): Promise<void> {
  const { queue: name, lockMs, jobsPerMinute, stop, events } = choices;
  const redis = await connectRedis(choices.redis);
  let foreign: CraneError | undefined;
  let ended = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const worker = new Worker<JobData>(
    name,
    async (job, token) => {
      try {
        return await workOn(job, redis, choices);
      } catch (thrown) {
        const error = toCraneError(thrown);
        const isForeign = error.code === 'E_SHARDS' && error.message.startsWith(k_foreign);
        if (error.code !== 'E_CANCELLED' && !isForeign) throw withCode(error);
        // Put back for another one; its rows are kept.
        if (isForeign) {
          foreign = error;
          ended();
        }
        if (await redis.exists(cancelKey(name, job.data.submission)))
          throw new UnrecoverableError('cancelled');
        await job.moveToDelayed(Date.now() + 1, token);
        throw new DelayedError();
      }
    },
    {
      connection: redis,
      concurrency: 1,
      lockDuration: lockMs,
      stalledInterval: Math.max(1000, lockMs / 2),
      maxStalledCount: k_stalls,
      ...(jobsPerMinute > 0 ? { limiter: { max: jobsPerMinute, duration: 60_000 } } : {}),
    },
  );
  // Lost connections come back by themselves; faults of jobs come as 'failed'.
  worker.on('error', () => {});
  worker.on('failed', (job, error) => {
    const isDead = job === undefined || job.finishedOn !== undefined;
    events.onFault(job?.data.chunk ?? '', error.message, isDead);
  });
  stop.addEventListener('abort', ended, { once: true });
  const idle = choices.untilEmpty ? whenEmpty(worker, stop) : new Promise<never>(() => {});
  await Promise.race([end, idle]);
  await worker.close();
  redis.disconnect();
  if (foreign) throw foreign;
}

async function whenEmpty(worker: Worker<JobData>, stop: AbortSignal): Promise<void> {
  const { Queue } = await import('bullmq');
  const queue = new Queue<JobData>(worker.name, { connection: worker.opts.connection });
  try {
    while (!stop.aborted) {
      const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed');
      if (Object.values(counts).every((count) => count === 0)) return;
      await new Promise((resolve) => setTimeout(resolve, k_idleChecks));
    }
  } finally {
    await queue.close();
  }
}

async function workOn(job: ChunkJob, redis: Redis, choices: WorkerChoices): Promise<{ rows: number }> {
  const began = performance.now();
  const { store: address, chunk, settings, submission, count } = dataOf(job);
  const store = await openStore(address);
  try {
    const ms = () => Math.round(performance.now() - began);
    if (await store.has(places.done(chunk))) {
      choices.events.onChunk({ chunk, rows: count, ms: ms(), isNew: false });
      return { rows: count };
    }
    const pins = await agreedPins(store, settings, choices);
    const pictures = parseChunk(await store.read(places.chunk(chunk)), `${address}/${places.chunk(chunk)}`);
    const rows = rowsKey(choices.queue, chunk);
    const stop = new AbortController();
    const onStop = () => stop.abort();
    choices.stop.addEventListener('abort', onStop, { once: true });
    if (choices.stop.aborted) stop.abort();
    const watching = setInterval(() => {
      void redis
        .exists(cancelKey(choices.queue, submission))
        .then((is) => is && stop.abort())
        .catch(() => {});
    }, 1000);
    try {
      await scoreChunk({
        engine: choices.engine,
        key: chunk,
        pictures,
        settings,
        store,
        rows: {
          done: async () => new Set((await redis.hkeys(rows)).map(Number)),
          keep: async (index, line) => void (await redis.hset(rows, String(index), line)),
        },
        isLastTry: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
        stop: stop.signal,
        onRow: choices.events.onRow,
      });
    } finally {
      clearInterval(watching);
      choices.stop.removeEventListener('abort', onStop);
    }
    await commit(store, chunk, linesOf(await redis.hgetall(rows), pictures.length), pins);
    await redis.del(rows);
    choices.events.onChunk({ chunk, rows: pictures.length, ms: ms(), isNew: true });
    return { rows: pictures.length };
  } finally {
    store.close();
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

const k_foreign = 'this worker is not like the others of this work';

/** The first worker says what all have to be. @throws CraneError E_SHARDS */
async function agreedPins(
  store: Store,
  settings: JobData['settings'],
  choices: WorkerChoices,
): Promise<Pins> {
  const { engine, model } = choices;
  if (settings.model !== model)
    throw new CraneError(
      'E_SHARDS',
      `${k_foreign}: it has the model ${model}, the work wants ${settings.model}`,
      {
        hint: `worker --model ${settings.model}`,
      },
    );
  const own: Pins = { model: await engine.labelOf(settings.choices), ...choices.pins };
  const place = places.pins(settings);
  if (await store.create(place, `${JSON.stringify(own)}\n`)) return own;
  const agreed = parsedAs(pinsSchema, await store.read(place), `${store.address}/${place}`);
  for (const name of Object.keys(own) as (keyof Pins)[]) {
    if (own[name] === agreed[name]) continue;
    throw new CraneError('E_SHARDS', `${k_foreign}: ${name} ${own[name]}, expected ${agreed[name]}`, {
      hint: 'start it with the same --model, --precision and --threads, and CRANE_KERNELS',
    });
  }
  return agreed;
}

function linesOf(kept: Record<string, string>, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const line = kept[String(index)];
    if (line === undefined) throw new CraneError('E_INTERNAL', `the row at ${index} was lost`);
    return line;
  });
}

/** A part gets a name of its own first: of two workers with one chunk the record of the first one counts. */
async function commit(store: Store, chunk: string, lines: string[], pins: Pins): Promise<void> {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const file = `${chunk}.${randomBytes(6).toString('hex')}.jsonl`;
  await store.write(places.part(file), bytes);
  const record: DoneRecord = {
    format: 'crane-native part',
    version: 1,
    file,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    rows: lines.length,
    failed: lines.filter((line) => 'error' in (JSON.parse(line) as object)).length,
    pins,
  };
  const isFirst = await store.create(places.done(chunk), `${JSON.stringify(record)}\n`);
  if (!isFirst) await store.remove(places.part(file));
}

function withCode(error: CraneError): Error {
  return new Error(`${error.code}: ${error.message}`, { cause: error });
}
