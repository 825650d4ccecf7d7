/** A worker: takes chunks from the queue, scores them, commits each once. */
import { setTimeout as pause } from 'node:timers/promises';
import { UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type CraneError, toCraneError } from '../errors.js';
import { type ChunkChoices, type ChunkEvents, ChunkJobs, isForeign } from './chunk-jobs.js';
import { coded, connectRedis, isCancelled, jobName, rowsKey } from './queue.js';
import type { JobData } from './submission.js';

export interface WorkerChoices extends ChunkChoices {
  redis: string;
  /** a worker that says nothing for so long is taken for dead, and its chunk goes to another */
  lockMs: number;
  /** most chunks a minute, of all workers of the queue; 0: no limit */
  jobsPerMinute: number;
  /** end when nothing waits any more */
  untilEmpty: boolean;
  events: WorkerEvents;
}

export interface WorkerEvents extends ChunkEvents {
  /** the server of the queue answers */
  onConnected(): void;
  onFault(chunk: string, reason: string, isDead: boolean): void;
  /** what the server of the queue refuses; of one kind once a minute */
  onRefused(reason: string): void;
  /** the connection to the server was lost, or is there again */
  onConnection(isThere: boolean): void;
}

/** How often a killed worker's chunk may come back: kills are no fault of a chunk. */
const k_stalls = 1000;
const k_idleChecks = 500;

/**
 * Works until `stop` fires or, with untilEmpty, until nothing waits. What is in work then is put back with its rows; where the server is
 * away, its lock ends and another worker takes it.
 * @throws CraneError E_QUEUE, E_SHARDS where this worker's scores would not be those of the others
 */
export async function runWorker(choices: WorkerChoices): Promise<void> {
  const redis = await connectRedis(choices.redis);
  choices.events.onConnected();
  const presence = new Presence(redis, choices.events.onConnection);
  try {
    if (!choices.stop.aborted) await workUntilEnd(redis, presence, choices);
  } finally {
    presence.close();
    redis.disconnect();
  }
}

async function workUntilEnd(redis: Redis, presence: Presence, choices: WorkerChoices): Promise<void> {
  const { queue: name, lockMs, jobsPerMinute, stop, events } = choices;
  const jobs = new ChunkJobs(redis, choices);
  let foreign: CraneError | undefined;
  let isAtWork = false;
  let ended = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const worker = new Worker<JobData>(
    name,
    async (job, token) => {
      isAtWork = true;
      try {
        return await jobs.workOn(job);
      } catch (thrown) {
        if (thrown instanceof UnrecoverableError) throw thrown;
        const error = toCraneError(thrown);
        if (error.code !== 'E_CANCELLED' && !isForeign(error)) throw withCode(error);
        // Put back for another one; its rows are kept.
        if (isForeign(error)) {
          foreign = error;
          ended();
        }
        if (await isCancelled(redis, name, job.data)) {
          await coded(redis.del(rowsKey(name, job.data)));
          throw new UnrecoverableError('cancelled');
        }
        await job.moveToWait(token);
        throw new WaitingError();
      } finally {
        isAtWork = false;
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
  // Faults of jobs come as 'failed'.
  worker.on('error', refusals(events));
  worker.on('failed', (job, error) => {
    const isDead = job === undefined || job.finishedOn !== undefined;
    events.onFault(jobName(job), error.message, isDead);
  });
  stop.addEventListener('abort', ended, { once: true });
  try {
    await (choices.untilEmpty ? Promise.race([end, whenEmpty(worker, stop)]) : end);
  } finally {
    await closeWorker(worker, presence, () => isAtWork);
  }
  if (foreign) throw foreign;
}

/** A server that is away for so long is waited for no more at the end. */
const k_awayMs = 10_000;
/** Each of a worker's connections is tried anew every two seconds at the latest. */
const k_steadyMs = 3000;
const k_closeChecks = 50;

/**
 * BullMQ closes in good order only while its connections stand: one that is being made anew when it is closed never says that it has
 * ended.
 */
async function closeWorker(worker: Worker, presence: Presence, isAtWork: () => boolean): Promise<void> {
  await worker.pause(true);
  for (let until = performance.now() + k_awayMs; performance.now() < until; await pause(k_closeChecks)) {
    const isForced = !presence.isThere;
    if (!isAtWork() && (presence.isSteady || isForced)) return worker.close(isForced);
    if (!isForced) until = performance.now() + k_awayMs;
  }
  await worker.close(true);
}

/** Whether the server is there, told once when that changes: what is asked meanwhile waits. */
class Presence {
  readonly #redis: Redis;
  readonly #onLost = () => this.#set(false);
  readonly #onBack = () => this.#set(true);
  readonly #tell: (isThere: boolean) => void;
  #isThere = true;
  #since = Number.NEGATIVE_INFINITY;

  constructor(redis: Redis, tell: (isThere: boolean) => void) {
    this.#redis = redis.on('close', this.#onLost).on('ready', this.#onBack);
    this.#tell = tell;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  get isSteady(): boolean {
    return this.#isThere && performance.now() - this.#since > k_steadyMs;
  }

  close(): void {
    this.#redis.off('close', this.#onLost).off('ready', this.#onBack);
  }

  #set(isThere: boolean): void {
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    this.#since = performance.now();
    this.#tell(isThere);
  }
}

const k_refusalPause = 60_000;

/** Lost connections come back by themselves; all else would be tried again and again without a word. */
function refusals(events: WorkerEvents): (error: Error) => void {
  const said = new Map<string, number>();
  return (error) => {
    const isLost = /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN)/.test((error as NodeJS.ErrnoException).code ?? '');
    if (isLost || /Connection is closed|^LOADING/.test(error.message)) return;
    // Ids of jobs are no matter of the kind.
    const kind = error.message.replace(/[0-9a-f-]{8,}/g, '').slice(0, 80);
    const now = performance.now();
    if (now - (said.get(kind) ?? Number.NEGATIVE_INFINITY) < k_refusalPause) return;
    said.set(kind, now);
    events.onRefused(error.message);
  };
}

async function whenEmpty(worker: Worker<JobData>, stop: AbortSignal): Promise<void> {
  const { Queue } = await import('bullmq');
  const queue = new Queue<JobData>(worker.name, { connection: worker.opts.connection });
  queue.on('error', () => {});
  try {
    while (!stop.aborted) {
      const counts = await coded(queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed'));
      if (Object.values(counts).every((count) => count === 0)) return;
      await pause(k_idleChecks);
    }
  } finally {
    await queue.close();
  }
}

function withCode(error: CraneError): Error {
  return new Error(`${error.code}: ${error.message}`, { cause: error });
}
