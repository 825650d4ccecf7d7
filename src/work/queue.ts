/** Jobs in Redis or Valkey, by BullMQ: one for each chunk, under the chunk's key, so that asking twice asks once. */
import type { Job, JobState, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { CraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';
import { shownAddress } from '../terminal/shown-address.js';
import type { JobData } from './submission.js';

const k_packages = ['bullmq', 'ioredis'];

export interface JobAsk {
  data: JobData;
  /** 1 goes first, 0 before all */
  priority: number;
  /** tries before a job is a dead letter */
  attempts: number;
  /** before the second try; doubles, and up to half of it is chance */
  backoffMs: number;
}

/** Redis as bullmq and our own rows use it. @throws CraneError E_DEPENDENCY, E_USAGE, E_QUEUE */
export async function connectRedis(address: string): Promise<Redis> {
  if (!/^rediss?:\/\//.test(address) || !URL.canParse(address)) {
    throw new CraneError(
      'E_USAGE',
      `Expected redis://HOST:PORT or rediss://HOST:PORT but received "${shownAddress(address)}"`,
    );
  }
  const { Redis } = await loadOptional('a queue', k_packages, () => import('ioredis'));
  // null: commands wait for the server to come back instead of failing, as BullMQ asks for.
  const redis = wellFormed(address, () => {
    return new Redis(address, { maxRetriesPerRequest: null, lazyConnect: true });
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
  } catch (cause) {
    redis.disconnect();
    throw new CraneError('E_QUEUE', `${shownAddress(address)}: ${(cause as Error).message}`, {
      hint: 'is the server there? name another one with --redis',
      cause,
    });
  }
  return redis;
}

/** The client decodes name and password when it is made. */
function wellFormed<T>(address: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    throw new CraneError('E_USAGE', `${shownAddress(address)}: its name or password is not well formed`, {
      hint: 'a % in them is written %25',
      cause,
    });
  }
}

export interface JobCounts {
  waiting: number;
  active: number;
  delayed: number;
  completed: number;
  failed: number;
}

export interface QueueStatus extends JobCounts {
  /** dead letters, with the reason of the last try */
  dead: { chunk: string; attempts: number; reason: string }[];
}

/** What became of jobs. */
export interface ActedOn {
  done: number;
  /** others took these meanwhile: workers, or another one who looks after the queue */
  left: number;
}

const k_shownDead = 20;
const k_page = 1000;

export class WorkQueue {
  readonly #queue: Queue<JobData>;
  readonly #redis: Redis;

  private constructor(queue: Queue<JobData>, redis: Redis) {
    this.#queue = queue;
    this.#redis = redis;
  }

  /** @throws CraneError E_DEPENDENCY, E_USAGE, E_QUEUE */
  static async open(address: string, name: string): Promise<WorkQueue> {
    const redis = await connectRedis(address);
    const { Queue } = await loadOptional('a queue', k_packages, () => import('bullmq'));
    return new WorkQueue(new Queue<JobData>(name, { connection: redis }), redis);
  }

  /** @throws CraneError E_QUEUE */
  ask(job: JobAsk): Promise<void> {
    return coded(this.#ask(job));
  }

  async #ask({ data, priority, attempts, backoffMs }: JobAsk): Promise<void> {
    await this.#queue.add('score', data, {
      jobId: data.chunk,
      priority,
      attempts,
      backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
      // The store knows what is done; these are for `queue status`.
      removeOnComplete: { count: 10_000 },
    });
    // A dead letter that is asked for again gets its tries anew.
    const job = await this.#queue.getJob(data.chunk);
    if (job && (await job.getState()) === 'failed') await job.retry('failed', { resetAttemptsMade: true });
  }

  async counts(): Promise<JobCounts> {
    const counts = await coded(
      this.#queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'completed', 'failed'),
    );
    return {
      waiting: (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0),
      active: counts['active'] ?? 0,
      delayed: counts['delayed'] ?? 0,
      completed: counts['completed'] ?? 0,
      failed: counts['failed'] ?? 0,
    };
  }

  async status(): Promise<QueueStatus> {
    const dead = await coded(this.#queue.getFailed(0, k_shownDead - 1));
    return {
      ...(await this.counts()),
      dead: dead.map((job) => ({
        chunk: jobName(job),
        attempts: job.attemptsMade,
        reason: job.failedReason,
      })),
    };
  }

  /** Gives dead letters their tries anew. @throws CraneError E_QUEUE */
  async retry(): Promise<ActedOn> {
    return this.#each(
      ['failed'],
      () => true,
      (job) => job.retry('failed', { resetAttemptsMade: true }),
    );
  }

  /** Takes back what does not run yet, and tells workers to leave what runs. @throws CraneError E_QUEUE */
  async cancel(submission: string): Promise<ActedOn> {
    await coded(this.#redis.set(cancelKey(this.#queue.name, submission), '1', 'EX', 7 * 24 * 3600));
    return this.#each(
      ['waiting', 'prioritized', 'delayed', 'failed'],
      (job) => submissionOf(job) === submission,
      (job) => job.remove(),
    );
  }

  /** What was cancelled may be asked for again. @throws CraneError E_QUEUE */
  async allow(submission: string): Promise<void> {
    await coded(this.#redis.del(cancelKey(this.#queue.name, submission)));
  }

  /** @param act throws where the job is no longer in its state */
  async #each(
    states: JobState[],
    isMeant: (job: ChunkJob) => boolean,
    act: (job: ChunkJob) => Promise<void>,
  ): Promise<ActedOn> {
    const done = new Set<string | undefined>();
    const left = new Set<string | undefined>();
    // Each state has a list of its own, and a place in it.
    for (const state of states) {
      for (let stay = 0; ; ) {
        const jobs = await coded(this.#queue.getJobs([state], stay, stay + k_page - 1));
        if (jobs.length === 0) break;
        for (const job of jobs) {
          // One that failed again at once is not given its tries a second time.
          if (done.has(job.id) || left.has(job.id) || !isMeant(job)) stay++;
          else if (await wasDone(act(job))) done.add(job.id);
          else {
            left.add(job.id);
            if ((await coded(job.getState())) === state) stay++;
          }
        }
      }
    }
    return { done: done.size, left: left.size };
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#redis.disconnect();
  }
}

/** What the server refuses: keys of another program under the queue's name, no memory, no rights. */
export async function coded<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw queueError(cause);
  }
}

const k_hints: [RegExp, string][] = [
  [/^OOM/, 'give the server more memory (maxmemory)'],
  [/^READONLY/, 'name a server that may be written to (--redis)'],
  [/^MISCONF/, 'the server cannot save: is its disk full?'],
  [/^(NOAUTH|WRONGPASS|NOPERM)/, 'name a user and a password that may: redis://USER:PASSWORD@HOST'],
];

export function queueError(cause: unknown): CraneError {
  if (cause instanceof CraneError) return cause;
  const message = (cause as Error).message.split(' script: ')[0]!;
  const [, hint] = k_hints.find(([kind]) => kind.test(message)) ?? [];
  return new CraneError('E_QUEUE', `the queue: ${message}`, {
    hint: hint ?? 'is the name of the queue (--queue) that of something else on this server?',
    cause,
  });
}

/** False: the job is no longer where it was, or its worker has it. @throws CraneError E_QUEUE for what the server refuses */
async function wasDone(act: Promise<void>): Promise<boolean> {
  try {
    await act;
    return true;
  } catch (cause) {
    if ((cause as Error).name === 'ReplyError') throw queueError(cause);
    return false;
  }
}

/** A job's data is whatever somebody wrote into the queue. */
function textIn(job: ChunkJob | undefined, field: keyof JobData): string | undefined {
  const value = (job?.data as Partial<Record<string, unknown>> | null | undefined)?.[field];
  return typeof value === 'string' ? value : undefined;
}

/** What people know a job by. */
export function jobName(job: ChunkJob | undefined): string {
  return textIn(job, 'chunk') ?? job?.id ?? '';
}

export function submissionOf(job: ChunkJob): string | undefined {
  return textIn(job, 'submission');
}

/** Rows of a chunk in work, kept until its part is committed: index in the chunk -> line. */
export function rowsKey(queue: string, chunk: string): string {
  return `crane-native:${queue}:rows:${chunk}`;
}

export function cancelKey(queue: string, submission: string): string {
  return `crane-native:${queue}:cancelled:${submission}`;
}

export type ChunkJob = Job<JobData>;
export type ChunkWorker = Worker<JobData>;
