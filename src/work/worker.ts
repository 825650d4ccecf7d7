/** A worker: takes chunks from the queue, scores them, commits each once. */
import { UnrecoverableError, WaitingError, Worker } from 'bullmq';
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
  onFault(chunk: string, reason: string, isDead: boolean): void;
  /** what the server of the queue refuses; of one kind once a minute */
  onRefused(reason: string): void;
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
  const jobs = new ChunkJobs(redis, choices);
  let foreign: CraneError | undefined;
  let ended = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const worker = new Worker<JobData>(
    name,
    async (job, token) => {
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
  const idle = choices.untilEmpty ? whenEmpty(worker, stop) : new Promise<never>(() => {});
  await Promise.race([end, idle]);
  await worker.close();
  redis.disconnect();
  if (foreign) throw foreign;
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
  try {
    while (!stop.aborted) {
      const counts = await coded(queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed'));
      if (Object.values(counts).every((count) => count === 0)) return;
      await new Promise((resolve) => setTimeout(resolve, k_idleChecks));
    }
  } finally {
    await queue.close();
  }
}

function withCode(error: CraneError): Error {
  return new Error(`${error.code}: ${error.message}`, { cause: error });
}
