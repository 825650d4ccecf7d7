/** Jobs in Redis or Valkey, by BullMQ: one for each chunk of a store, under an id made of both, so that asking twice asks once. */
import { createHash } from 'node:crypto';
import type { Job, JobState, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { CraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';
import { canonicalJson } from '../runs/canonical-json.js';
import { shownAddress } from '../terminal/shown-address.js';
import type { JobData, Pins } from './submission.js';

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

/** BullMQ makes keys of it, parted by colons. @throws CraneError E_USAGE */
export function checkQueueName(name: string): void {
  if (name.includes(':'))
    throw new CraneError('E_USAGE', `Expected a name without colons for --queue but received "${name}"`);
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
  /** among dead letters and what workers have */
  unreadable: { id: string; reason: string }[];
}

/** What became of jobs. */
export interface ActedOn {
  done: number;
  /** others took these meanwhile: workers, or another one who looks after the queue */
  left: number;
  /** ids of jobs that hold no job */
  unreadable: string[];
}

export interface Cancelled extends ActedOn {
  /** other submissions want these too, so they stay */
  shared: number;
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
    checkQueueName(name);
    const { Queue } = await loadOptional('a queue', k_packages, () => import('bullmq'));
    const redis = await connectRedis(address);
    const queue = new Queue<JobData>(name, { connection: redis });
    // Lost connections come back by themselves; what commands are refused they say.
    queue.on('error', () => {});
    return new WorkQueue(queue, redis);
  }

  /** @throws CraneError E_QUEUE */
  ask(job: JobAsk): Promise<void> {
    return coded(this.#ask(job));
  }

  async #ask(ask: JobAsk): Promise<void> {
    const { data } = ask;
    // Before the job is looked at, so that nobody takes it back for another submission alone.
    await this.#redis.sadd(wantedKey(this.#queue.name, data), data.submission);
    await this.#add(ask);
    const job = await this.#job(jobId(data));
    if (!job) return;
    if (isBroken(job)) throw new CraneError('E_QUEUE', `job ${job.id} of the queue ${job.broken}`);
    if (textIn(job, 'store') !== data.store || textIn(job, 'chunk') !== data.chunk)
      throw new CraneError('E_QUEUE', `job ${job.id} of the queue is other work than chunk ${data.chunk}`);
    const state = await job.getState();
    // A dead letter that is asked for again gets its tries anew.
    if (state === 'failed') {
      await job.updateData(data);
      await job.retry('failed', { resetAttemptsMade: true });
    }
    // The store has lost what was done, or this was done while it was asked for: then the worker finds it.
    if (state === 'completed') {
      await job.remove();
      await this.#add(ask);
    }
  }

  /** Leaves a job that is there as it is. */
  async #add({ data, priority, attempts, backoffMs }: JobAsk): Promise<void> {
    await this.#queue.add('score', data, {
      jobId: jobId(data),
      priority,
      attempts,
      backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
      // The store knows what is done; these are for `queue status`.
      removeOnComplete: { count: 10_000 },
    });
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
    const failed = await this.#jobs('failed', 0, k_shownDead - 1);
    // One that waits is told of when a worker took it: that one cannot put it aside.
    const broken = [...failed, ...(await this.#jobs('active', 0, k_page - 1))].filter(isBroken);
    return {
      ...(await this.counts()),
      dead: failed.flatMap((job) =>
        isBroken(job) ? [] : [{ chunk: jobName(job), attempts: job.attemptsMade, reason: job.failedReason }],
      ),
      unreadable: broken.map(({ id, broken }) => ({ id, reason: broken })),
    };
  }

  /** Gives dead letters their tries anew. @throws CraneError E_QUEUE */
  async retry(): Promise<ActedOn> {
    return this.#each(
      ['failed'],
      async () => true,
      (job) => job.retry('failed', { resetAttemptsMade: true }),
    );
  }

  /**
   * Takes back what does not run yet and no other submission wants, with its rows, and tells workers to leave what runs.
   * @throws CraneError E_QUEUE
   */
  async cancel(submission: string): Promise<Cancelled> {
    const { name } = this.#queue;
    await coded(this.#redis.set(cancelKey(name, submission), '1', 'EX', 7 * 24 * 3600));
    let shared = 0;
    const isLeft = async (job: ChunkJob) => {
      if (textIn(job, 'submission') === undefined) return false;
      const wanting = await wantedBy(this.#redis, name, job.data);
      if (!wanting.includes(submission)) return false;
      if (wanting.length === 1) return true;
      shared++;
      await coded(this.#redis.srem(wantedKey(name, job.data), submission));
      return false;
    };
    const acted = await this.#each(['waiting', 'prioritized', 'delayed', 'failed'], isLeft, async (job) => {
      await job.remove();
      // Asked for by another one meanwhile, who found it there.
      if ((await wantedBy(this.#redis, name, job.data)).some((wanting) => wanting !== submission))
        await this.#queue.add(job.name, job.data, { ...job.opts, jobId: job.id! });
      else await forget(this.#redis, name, job.data);
    });
    return { ...acted, shared };
  }

  /** What was cancelled may be asked for again. @throws CraneError E_QUEUE */
  async allow(submission: string): Promise<void> {
    await coded(this.#redis.del(cancelKey(this.#queue.name, submission)));
  }

  /** @param act throws where the job is no longer in its state */
  async #each(
    states: JobState[],
    isMeant: (job: ChunkJob) => Promise<boolean>,
    act: (job: ChunkJob) => Promise<void>,
  ): Promise<ActedOn> {
    const done = new Set<string | undefined>();
    const left = new Set<string | undefined>();
    const unreadable = new Set<string>();
    // Each state has a list of its own, and a place in it.
    for (const state of states) {
      for (let stay = 0; ; ) {
        const jobs = await this.#jobs(state, stay, stay + k_page - 1);
        if (jobs.length === 0) break;
        const meant = await Promise.all(jobs.map((job) => !isBroken(job) && isMeant(job)));
        for (const [at, job] of jobs.entries()) {
          if (isBroken(job)) {
            unreadable.add(job.id);
            stay++;
          }
          // One that failed again at once is not given its tries a second time.
          else if (done.has(job.id) || left.has(job.id) || !meant[at]) stay++;
          else if (await wasDone(act(job))) done.add(job.id);
          else {
            left.add(job.id);
            if ((await coded(job.getState())) === state) stay++;
          }
        }
      }
    }
    return { done: done.size, left: left.size, unreadable: [...unreadable] };
  }

  /** Fewer where some were taken away meanwhile. */
  async #jobs(state: JobState, start: number, end: number): Promise<(ChunkJob | BrokenJob)[]> {
    const ids = await coded(this.#queue.getRanges([state], start, end));
    const jobs = await Promise.all(ids.map((id) => this.#job(id)));
    return jobs.filter((job) => job !== undefined);
  }

  /** Each by itself, so that one that nobody can read hides no other. @throws CraneError E_QUEUE */
  async #job(id: string): Promise<ChunkJob | BrokenJob | undefined> {
    try {
      return await this.#queue.getJob(id);
    } catch (cause) {
      const { message } = cause as Error;
      if (!(cause instanceof SyntaxError) && !message.startsWith('WRONGTYPE')) throw queueError(cause);
      return { id, broken: `cannot be read: ${message}` };
    }
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

/** What stands under the id of a job and is none. */
interface BrokenJob {
  id: string;
  /** why, in words */
  broken: string;
}

function isBroken(job: ChunkJob | BrokenJob): job is BrokenJob {
  return 'broken' in job;
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

/** Of a chunk in a store: the same pictures with the same settings may be asked for into several stores. */
export function jobId({ store, chunk }: Pick<JobData, 'store' | 'chunk'>): string {
  return createHash('sha256').update(`${store}\0${chunk}`).digest('hex').slice(0, 32);
}

/** Rows of a chunk in work by their rowField, kept until its part is committed. */
export function rowsKey(queue: string, data: JobData): string {
  return `crane-native:${queue}:rows:${jobId(data)}`;
}

/** A store that was emptied and filled anew may have other pins, and rows of earlier ones are not of its work. */
export function rowField(pins: Pins, index: number): string {
  return `${createHash('sha256').update(canonicalJson(pins)).digest('hex').slice(0, 16)}:${index}`;
}

/** The submissions that asked for a chunk. */
function wantedKey(queue: string, data: JobData): string {
  return `crane-native:${queue}:wanted:${jobId(data)}`;
}

/** @throws CraneError E_QUEUE */
export async function wantedBy(redis: Redis, queue: string, data: JobData): Promise<string[]> {
  const wanting = await coded(redis.smembers(wantedKey(queue, data)));
  // Of jobs of earlier versions only their data says so.
  return wanting.length > 0 ? wanting : [data.submission];
}

/** Whether all were cancelled that asked for a chunk. @throws CraneError E_QUEUE */
export async function isCancelled(redis: Redis, queue: string, data: JobData): Promise<boolean> {
  const keys = (await wantedBy(redis, queue, data)).map((submission) => cancelKey(queue, submission));
  return (await coded(redis.exists(keys))) === keys.length;
}

/** A chunk that is done or given up leaves nothing behind. @throws CraneError E_QUEUE */
export async function forget(redis: Redis, queue: string, data: JobData): Promise<void> {
  await coded(redis.del(rowsKey(queue, data), wantedKey(queue, data)));
}

function cancelKey(queue: string, submission: string): string {
  return `crane-native:${queue}:cancelled:${submission}`;
}

export type ChunkJob = Job<JobData>;
export type ChunkWorker = Worker<JobData>;
