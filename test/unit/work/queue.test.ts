/** The queue with a server of its own, while others take its jobs and the server refuses. Needs redis-server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { LocalStore } from '../../../src/stores/local-store.js';
import { connectRedis, isCancelled, jobId, rowsKey, WorkQueue } from '../../../src/work/queue.js';
import { type JobData, places } from '../../../src/work/submission.js';
import { submitWork } from '../../../src/work/submit.js';
import { hasRedis, RedisServer } from '../../cli/queue-surroundings.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeToyModel } from '../engine/toy-model.js';
import { settings } from './tiny-work.js';

const mine = 'a'.repeat(32);
const theirs = 'b'.repeat(32);
const data = (at: number, submission = mine): JobData => ({
  store: '/nowhere',
  submission,
  chunk: at.toString(16).padStart(32, '0'),
  count: 1,
  settings,
});

it('an address is told without its password, whatever is wrong with it', async () => {
  for (const [address, code, told] of [
    ['redis://:sec/ret@queue:6379', 'E_USAGE', '"redis://queue:6379"'],
    ['http://me:secret@queue', 'E_USAGE', '"http://queue/"'],
    [
      'redis://:secret%zz@127.0.0.1:1',
      'E_USAGE',
      'redis://127.0.0.1:1: its name or password is not well formed',
    ],
    ['redis://:sec@ret@127.0.0.1:1', 'E_QUEUE', 'redis://127.0.0.1:1: '],
  ]) {
    const fault = await connectRedis(address!).catch((thrown: unknown) => thrown as CraneError);
    expect(fault).toMatchObject({ code, message: expect.stringContaining(told!) });
    expect(JSON.stringify([fault, (fault as CraneError).hint])).not.toMatch(/sec|ret/);
  }
});

describe.skipIf(!hasRedis)('a queue', () => {
  let folder: string;
  let server: RedisServer;
  let redis: Redis;
  let queue: WorkQueue;
  let name = '';
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crane-queue-'));
    server = await RedisServer.start(folder);
    redis = new Redis(server.address, { maxRetriesPerRequest: null });
    redis.on('error', () => {});
  }, 60_000);
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    name = `queue ${count++}`;
    queue = await WorkQueue.open(server.address, name);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await redis.config('SET', 'maxmemory', '0');
    await redis.replicaof('NO', 'ONE');
    await queue.close();
  });

  const ask = (at: number, submission?: string) =>
    queue.ask({ data: data(at, submission), priority: 0, attempts: 1, backoffMs: 1 });
  const withRaw = async <T>(use: (raw: Queue, worker: Worker) => Promise<T>): Promise<T> => {
    const raw = new Queue(name, { connection: redis });
    const worker = new Worker(name, null, { connection: redis, autorun: false });
    try {
      return await use(raw, worker);
    } finally {
      await worker.close();
      await raw.close();
    }
  };
  /** Takes the oldest job and fails it. */
  const failNext = (worker: Worker) =>
    worker.getNextJob('t').then((job) => job!.moveToFailed(new Error('no'), 't', false));
  /** Something happens between the list of jobs and what is done to them. */
  const afterFirstList = (happens: () => Promise<unknown>) => {
    const listed = Queue.prototype.getRanges;
    vi.spyOn(Queue.prototype, 'getRanges').mockImplementationOnce(async function (this: Queue, ...args) {
      const ids = await listed.apply(this, args);
      await happens();
      return ids;
    });
  };

  it('shows what stands in it, which steers no terminal', async () => {
    await makeToyModel(join(folder, 'toy'));
    const evil = { ...data(1), chunk: 'chunk\x1b[2J', store: '/dev/null\x9b/a' };
    const raw = new Queue(name, { connection: redis });
    await raw.add('score', evil, { jobId: 'evil' });
    await raw.close();
    const of = ['--redis', server.address, '--queue', name];
    const worker = await runInProcess(['worker', ...of, '--until-empty', '--model', join(folder, 'toy')]);
    expect(worker.stderr).toMatch(/^chunk\ufffd\[2J: .*; put aside$/m);
    const status = await runInProcess(['queue', 'status', ...of]);
    expect(status.stdout).toMatch(/^chunk\ufffd\[2J {2}1 tries {2}/m);
    for (const text of [worker.stderr, status.stdout])
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('takes back all that waits, but what a worker takes meanwhile', async () => {
    for (const at of [1, 2, 3]) await ask(at);
    await ask(4, theirs);
    await withRaw(async (_raw, worker) => {
      afterFirstList(() => worker.getNextJob('t'));
      expect(await queue.cancel(mine)).toEqual({ done: 2, left: 1, unreadable: [], shared: 0 });
      expect(await queue.counts()).toMatchObject({ waiting: 1, active: 1 });
    });
  });

  it('gives dead letters their tries, but those that another one took up meanwhile', async () => {
    for (const at of [1, 2, 3]) await ask(at);
    await withRaw(async (raw, worker) => {
      for (let each = 0; each < 3; each++) await failNext(worker);
      afterFirstList(async () => (await raw.getFailed(0, 0))[0]!.retry());
      expect(await queue.retry()).toEqual({ done: 2, left: 1, unreadable: [] });
      expect(await queue.counts()).toMatchObject({ waiting: 3, failed: 0 });
    });
  });

  it('gives a dead letter that fails again at once its tries one time', async () => {
    await ask(1);
    await withRaw(async (_raw, worker) => {
      await failNext(worker);
      const retry = Job.prototype.retry;
      vi.spyOn(Job.prototype, 'retry').mockImplementation(async function (this: Job, ...args) {
        await retry.apply(this, args);
        await failNext(worker);
      });
      expect(await queue.retry()).toEqual({ done: 1, left: 0, unreadable: [] });
      expect(await queue.counts()).toMatchObject({ failed: 1 });
    });
  });

  it('takes back what waits in one state behind many jobs of others in another', async () => {
    const many = (submission: string, from: number, opts: object) =>
      Array.from({ length: 1100 }, (_, at) => {
        const each = data(from + at, submission);
        return { name: 'score', data: each, opts: { jobId: each.chunk, ...opts } };
      });
    await withRaw(async (raw) => {
      await raw.addBulk(many(theirs, 0, {}));
      await raw.addBulk(many(mine, 5000, { delay: 3_600_000 }));
    });
    expect(await queue.cancel(mine)).toEqual({ done: 1100, left: 0, unreadable: [], shared: 0 });
    expect(await queue.counts()).toMatchObject({ waiting: 1100, delayed: 0 });
  }, 60_000);

  it('holds a chunk for each store that it is asked for', async () => {
    await ask(1);
    await ask(1);
    await queue.ask({ data: { ...data(1), store: '/elsewhere' }, priority: 0, attempts: 1, backoffMs: 1 });
    expect(await queue.counts()).toMatchObject({ waiting: 2 });
  });

  it('has what is done done anew where it is asked for again', async () => {
    await ask(1);
    await withRaw(async (_raw, worker) => {
      const job = await worker.getNextJob('t');
      await job!.moveToCompleted({ rows: 1 }, 't', false);
      await ask(1);
      expect(await queue.counts()).toMatchObject({ waiting: 1, completed: 0 });
    });
  });

  it('says that a job of that id is other work', async () => {
    await withRaw((raw) => raw.add('score', data(2), { jobId: jobId(data(1)) }));
    await expect(ask(1)).rejects.toMatchObject({
      code: 'E_QUEUE',
      message: expect.stringMatching(/^job .* is other work than chunk 0*1$/),
    });
  });

  it('takes back what two submissions want when the second one is cancelled too', async () => {
    await ask(1);
    await ask(1, theirs);
    await redis.hset(rowsKey(name, data(1)), { 0: 'a row' });
    expect(await queue.cancel(mine)).toEqual({ done: 0, left: 0, unreadable: [], shared: 1 });
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
    expect(await isCancelled(redis, name, data(1))).toBe(false);
    expect(await queue.cancel(theirs)).toEqual({ done: 1, left: 0, unreadable: [], shared: 0 });
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
    expect(await redis.exists(rowsKey(name, data(1)))).toBe(0);
  });

  it('stops what runs when all that want it are cancelled, and lets the next one have it', async () => {
    await ask(1);
    await ask(1, theirs);
    await withRaw(async (_raw, worker) => {
      const job = await worker.getNextJob('t');
      await queue.cancel(mine);
      expect(await isCancelled(redis, name, data(1))).toBe(false);
      await queue.cancel(theirs);
      expect(await isCancelled(redis, name, data(1))).toBe(true);
      await job!.moveToFailed(new Error('cancelled'), 't', false);
      const third = 'c'.repeat(32);
      await ask(1, third);
      expect(await isCancelled(redis, name, data(1))).toBe(false);
      expect((await worker.getNextJob('t'))?.data).toEqual(data(1, third));
    });
  });

  it('keeps a chunk that another submission asks for while it is taken back', async () => {
    await ask(1);
    const remove = Job.prototype.remove;
    vi.spyOn(Job.prototype, 'remove').mockImplementationOnce(async function (this: Job) {
      await ask(1, theirs);
      await remove.call(this);
    });
    await queue.cancel(mine);
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
    expect(await isCancelled(redis, name, data(1))).toBe(false);
  });

  it('is asked for nothing while the submission still counts as cancelled', async () => {
    const { id } = await submitOne();
    await queue.cancel(id);
    const asked = vi.spyOn(queue, 'ask').mockImplementationOnce(async (job) => {
      expect(await isCancelled(redis, name, job.data)).toBe(false);
    });
    await submitOne();
    expect(asked).toHaveBeenCalledOnce();
  });

  it('leaves no rows of what is cancelled while it runs', async () => {
    await makeToyModel(join(folder, 'toy'));
    const store = join(folder, name);
    await new LocalStore(store).write(places.chunk(data(1).chunk), '{"uri":"a"}\n');
    const cancelled = { ...data(1), store };
    await queue.cancel(mine);
    await queue.ask({ data: cancelled, priority: 0, attempts: 1, backoffMs: 1 });
    await redis.hset(rowsKey(name, cancelled), { 0: 'a row' });
    const of = ['--redis', server.address, '--queue', name];
    const worker = await runInProcess(['worker', ...of, '--model', join(folder, 'toy')]);
    expect(worker.stderr).toMatch(/: cancelled; put aside$/m);
    expect(await redis.exists(rowsKey(name, cancelled))).toBe(0);
  });

  const submitOne = () =>
    submitWork({
      pictures: (async function* () {
        yield { uri: 'a' };
      })(),
      settings,
      title: 'one',
      store: new LocalStore(join(folder, name)),
      queue,
      chunk: 1,
      ask: { priority: 0, attempts: 1, backoffMs: 1 },
      stop: new AbortController().signal,
    });

  it.each<[string, (key: string) => Promise<unknown>]>([
    ['a hash that holds no JSON', (key) => redis.hset(key, 'data', '{broken')],
    ['no hash at all', (key) => redis.set(key, 'hello')],
  ])('names a job that cannot be read, and goes on with the others: %s', async (_what, write) => {
    for (const at of [1, 2]) await ask(at);
    const of = ['--redis', server.address, '--queue', name];
    const evil = `bull:${name}:evil`;
    await write(evil);
    await withRaw(async (_raw, worker) => failNext(worker));
    await redis.zadd(`bull:${name}:failed`, 1, 'evil');
    const status = await runInProcess(['queue', 'status', ...of]);
    expect(status.stdout).toMatch(/^evil {2}cannot be read: .+/m);
    expect(status.stdout).toMatch(/^0*1 {2}1 tries {2}no$/m);
    const retry = await runInProcess(['queue', 'retry', ...of]);
    expect(retry.stderr).toBe('1 jobs go on, 1 cannot be read: evil\n');
    await redis.zrem(`bull:${name}:failed`, 'evil');
    await redis.lpush(`bull:${name}:active`, 'evil');
    expect((await queue.status()).unreadable).toMatchObject([{ id: 'evil' }]);
    await redis.lpush(`bull:${name}:wait`, 'evil');
    const cancel = await runInProcess(['queue', 'cancel', mine, ...of]);
    expect(cancel.stderr).toBe('2 jobs taken back, 1 cannot be read: evil\n');
    const id = jobId(data(1));
    await redis.hset(`bull:${name}:${id}`, 'data', '{broken');
    await expect(ask(1)).rejects.toMatchObject({
      code: 'E_QUEUE',
      message: expect.stringContaining(`job ${id} of the queue cannot be read: `),
    });
  });

  it.each([
    ['queue', 'status'],
    ['worker', '--model', 'none'],
    ['submit', 'a.png', '--out', 'out'],
  ])('has a name that makes a key: %s', async (...command) => {
    const ran = await runInProcess([...command, '--redis', 'redis://127.0.0.1:1', '--queue', 'a:b']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('Expected a name without colons for --queue but received "a:b"');
  });

  it('whose keys are those of another program ends its workers', async () => {
    await makeToyModel(join(folder, 'toy'));
    await redis.set(`bull:${name}:wait`, 'hello');
    const of = ['--redis', server.address, '--queue', name, '--model', join(folder, 'toy')];
    const worker = await runInProcess(['worker', ...of, '--until-empty']);
    expect(worker.stderr).toMatch(/WRONGTYPE.*\[E_QUEUE\]/);
    // Those of this test.
    await vi.waitFor(async () => expect(String(await redis.client('LIST')).match(/^id=/gm)).toHaveLength(2));
  });

  it('that is away holds up no worker that is to end, and is told of once', async () => {
    await makeToyModel(join(folder, 'toy'));
    const of = ['--redis', server.address, '--queue', name, '--model', join(folder, 'toy')];
    const stop = new AbortController();
    const worker = runInProcess(['worker', ...of, '--metrics-port', '0'], { stop: stop.signal });
    // One of the figures, two of the worker, two of this test.
    await vi.waitFor(
      async () => expect(String(await redis.client('LIST')).match(/^id=/gm)).toHaveLength(5),
      5000,
    );
    const logged = vi.spyOn(console, 'error');
    try {
      await server.stop();
      await new Promise((done) => setTimeout(done, 500));
      stop.abort();
      const { code, stderr } = await worker;
      expect(code).toBe(0);
      expect(stderr.match(/lost/g)).toHaveLength(1);
      expect(stderr).toContain(`${server.address} is lost, and work waits for it [E_QUEUE]\n`);
      expect(logged).not.toHaveBeenCalled();
    } finally {
      await server.restart();
    }
  }, 30_000);

  it('is worked on by no worker that is told to end before it begins', async () => {
    await makeToyModel(join(folder, 'toy'));
    const of = ['--redis', server.address, '--queue', name, '--model', join(folder, 'toy')];
    expect((await runInProcess(['worker', ...of], { stop: AbortSignal.abort() })).code).toBe(0);
  });

  const noMemory = () => redis.config('SET', 'maxmemory', '1');
  const readOnly = () => redis.replicaof('127.0.0.1', 1);
  it.each<[string, RegExp, () => Promise<unknown>, () => Promise<unknown>]>([
    ['cancel', /^the queue: OOM/, noMemory, () => queue.cancel(mine)],
    ['ask', /^the queue: OOM/, noMemory, () => ask(2)],
    ['cancel', /^the queue: READONLY/, readOnly, () => queue.cancel(mine)],
    ['retry', /^the queue: READONLY/, readOnly, () => queue.retry()],
    ['allow', /^the queue: READONLY/, readOnly, () => queue.allow(mine)],
  ])('says to %s why the server refuses: %s', async (_what, message, refuse, act) => {
    await ask(1);
    await withRaw(async (_raw, worker) => failNext(worker));
    await refuse();
    await expect(act()).rejects.toMatchObject({
      code: 'E_QUEUE',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/maxmemory|may be written/),
    });
  });
});
