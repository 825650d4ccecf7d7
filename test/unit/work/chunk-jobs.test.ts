import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { LocalStore } from '../../../src/stores/local-store.js';
import { ChunkJobs, commitPart } from '../../../src/work/chunk-jobs.js';
import type { ChunkJob } from '../../../src/work/queue.js';
import { type JobData, type Pins, places } from '../../../src/work/submission.js';
import { pins, rowOf, settings } from './tiny-work.js';

const chunk = 'c'.repeat(32);
const pictures = [{ uri: 'a' }, { uri: 'b' }];
const lines = [rowOf('a', 0), '{"input":"b","index":1,"error":{"code":"E_IMAGE_FORMAT","message":"none"}}'];

describe('the commit of a part', () => {
  let folder: string;
  let store: LocalStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crane-commit-'));
    store = new LocalStore(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const record = async () => JSON.parse(Buffer.from(await store.read(places.done(chunk))).toString());
  const parts = async () => (await readdir(join(folder, 'parts'))).filter((name) => name.endsWith('.jsonl'));

  it('names the part, and what it holds', async () => {
    expect(await commitPart(store, chunk, lines, pins, pictures)).toBe(true);
    expect(await record()).toMatchObject({ rows: 2, failed: 1, pins, bytes: lines.join('').length + 2 });
    expect(await parts()).toEqual([(await record()).file]);
  });

  it.each(['nonsense', 'null', '{"input":"b"}'])('says which row of Redis is none: %s', async (row) => {
    await expect(commitPart(store, chunk, [lines[0]!, row], pins, pictures)).rejects.toMatchObject({
      code: 'E_SHARDS',
      message: expect.stringMatching(/^row 1 of c+ in Redis is no result: /),
    });
  });

  it('takes no row of another label, but of pictures with choices of their own', async () => {
    const other = rowOf('b', 1).replace('tiny@1', 'tiny@2');
    await expect(commitPart(store, chunk, [lines[0]!, other], pins, pictures)).rejects.toMatchObject({
      code: 'E_SHARDS',
      message: `row 1 of ${chunk} in Redis: b is of tiny@2, expected tiny@1`,
      hint: expect.stringContaining('queue cancel'),
    });
    const own = [{ uri: 'a' }, { uri: 'b', className: 'bolt' }];
    expect(await commitPart(store, chunk, [lines[0]!, other], pins, own)).toBe(true);
  });

  it('leaves the first record and its part, and takes the second part away', async () => {
    await commitPart(store, chunk, lines, pins, pictures);
    const first = await record();
    expect(await commitPart(store, chunk, lines, pins, pictures)).toBe(false);
    expect(await record()).toEqual(first);
    expect(await parts()).toEqual([first.file]);
  });

  it('keeps its part where the record was made and the answer to that was lost', async () => {
    // The store's client asks again, and is told that the record is there.
    const create = store.create.bind(store);
    store.create = async (key, data) => {
      await create(key, data);
      return create(key, data);
    };
    expect(await commitPart(store, chunk, lines, pins, pictures)).toBe(true);
    expect(await parts()).toEqual([(await record()).file]);
  });
});

describe('a chunk whose rows the server refuses', () => {
  const refused = () => Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' });
  const answers = { hgetall: async () => ({}), exec: async () => [] };
  const engine = {
    labelOf: async () => 'tiny@1',
    settledSettings: async () => ({ threshold: null, mapThreshold: null }),
    scoreMany: async function* () {
      yield { input: 'a', index: 0, error: { code: 'E_IMAGE_FORMAT', message: 'none' } };
    },
  } as unknown as Engine;

  it.each<[string, Partial<Record<keyof typeof answers, () => Promise<never>>>]>([
    ['rows', { hgetall: () => Promise.reject(refused()) }],
    ['pipeline', { exec: () => Promise.reject(refused()) }],
    ['kept row', { exec: async () => [[refused(), null]] as never }],
  ])('ends with why: %s', async (_what, refusing) => {
    const folder = await mkdtemp(join(tmpdir(), 'crane-refused-'));
    try {
      const { hgetall, exec } = { ...answers, ...refusing };
      const pipeline = { hsetnx: () => pipeline, expire: () => pipeline, exec };
      const redis = { hgetall, pipeline: () => pipeline, del: async () => 0 };
      const store = new LocalStore(folder);
      await store.write(places.chunk(chunk), '{"uri":"a"}\n');
      const jobs = new ChunkJobs(redis as unknown as Redis, {
        engine,
        model: 'tiny',
        pins,
        queue: 'q',
        stop: new AbortController().signal,
        events: { onPicture() {}, onChunk() {} },
      });
      const data: JobData = { store: folder, submission: chunk, chunk, count: 1, settings };
      const job = { id: '1', data, attemptsMade: 0, opts: {} } as unknown as ChunkJob;
      await expect(jobs.workOn(job)).rejects.toMatchObject({
        code: 'E_QUEUE',
        message: 'the queue: OOM command not allowed',
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('workers of one piece of work', () => {
  let folder: string;
  let store: LocalStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crane-workers-'));
    store = new LocalStore(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A worker whose calibrations give these thresholds. */
  async function workOn(key: string, threshold: number | null, mapThreshold: number | null) {
    await store.write(places.chunk(key), '{"uri":"a"}\n');
    const kept = new Map<string, string>();
    const pipeline = {
      hsetnx: (_key: string, index: string, line: string) => {
        kept.set(index, line);
        return pipeline;
      },
      expire: () => pipeline,
      exec: async () => [],
    };
    const redis = {
      hgetall: async () => Object.fromEntries(kept),
      pipeline: () => pipeline,
      del: async () => 0,
    };
    const engine = {
      labelOf: async () => 'tiny@1',
      settledSettings: async () => ({ threshold, mapThreshold }),
      scoreMany: async function* () {
        yield { ...JSON.parse(lines[0]!), threshold };
      },
    };
    const jobs = new ChunkJobs(redis as unknown as Redis, {
      engine: engine as unknown as Engine,
      model: 'tiny',
      pins,
      queue: 'q',
      stop: new AbortController().signal,
      events: { onPicture() {}, onChunk() {} },
    });
    const data: JobData = { store: folder, submission: key, chunk: key, count: 1, settings };
    return jobs.workOn({ id: '1', data, attemptsMade: 0, opts: {} } as unknown as ChunkJob);
  }

  it('judge by the same thresholds, whatever calibrations they have', async () => {
    await workOn('a'.repeat(32), 0.5, null);
    await workOn('b'.repeat(32), 0.5, null);
    for (const [threshold, mapThreshold] of [
      [0.25, null],
      [null, null],
      [0.5, 0.1],
    ] as const) {
      const foreign = workOn('c'.repeat(32), threshold, mapThreshold);
      await expect(foreign).rejects.toMatchObject({
        code: 'E_SHARDS',
        message: expect.stringMatching(/not like the others .*hreshold .*, expected/),
        hint: expect.stringContaining('--threshold'),
      });
    }
  });

  it('go on with work whose first worker did not write its thresholds down', async () => {
    await store.write(places.pins(settings), JSON.stringify(pins));
    expect(await workOn('a'.repeat(32), 0.5, 0.1)).toEqual({ rows: 1 });
  });
});

describe('rows that are kept', () => {
  const hashes = new Map<string, Record<string, string>>();
  const hash = (key: string) => hashes.get(key) ?? hashes.set(key, {}).get(key)!;
  const pipeline = {
    hsetnx: (key: string, field: string, line: string) => {
      hash(key)[field] ??= line;
      return pipeline;
    },
    expire: () => pipeline,
    exec: async () => [],
  };
  const redis = {
    hgetall: async (key: string) => ({ ...hash(key) }),
    hdel: async (key: string, field: string) => delete hash(key)[field],
    del: async (...keys: string[]) => keys.forEach((key) => void hashes.delete(key)),
    pipeline: () => pipeline,
  };
  let folder: string;
  beforeEach(async () => {
    hashes.clear();
    folder = await mkdtemp(join(tmpdir(), 'crane-rows-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A chunk of two pictures. @returns the pictures that were scored */
  async function workOn(store: LocalStore, precision: string, work: JobData['settings'], isBroken: boolean) {
    await store.write(places.chunk(chunk), '{"uri":"a"}\n{"uri":"b"}\n');
    const scored: string[] = [];
    const model = `tiny@${precision}`;
    const engine = {
      labelOf: async () => model,
      settledSettings: async () => ({ threshold: null, mapThreshold: null }),
      scoreMany: async function* (items: AsyncIterable<{ name: string; index: number }>) {
        for await (const { name, index } of items) {
          if (isBroken && scored.length === 1) throw new Error('broken off');
          scored.push(name);
          yield { ...JSON.parse(rowOf(name, index)), model, heatmap: Buffer.from('heat') };
        }
      },
    };
    const jobs = new ChunkJobs(redis as unknown as Redis, {
      engine: engine as unknown as Engine,
      model: 'tiny',
      pins: { ...pins, model, precision } as Pins,
      queue: 'q',
      stop: new AbortController().signal,
      events: { onPicture() {}, onChunk() {} },
    });
    const data: JobData = { store: store.address, submission: chunk, chunk, count: 2, settings: work };
    const done = jobs.workOn({ id: '1', data, attemptsMade: 0, opts: {} } as unknown as ChunkJob);
    if (isBroken) await expect(done).rejects.toThrow('broken off');
    else await done;
    return scored;
  }

  type Heatmaps = JobData['settings']['heatmaps'];
  const heatmaps: Heatmaps = { format: 'jpg', range: null };
  it.each<[string, string, string, () => Promise<void>, string[], Heatmaps?]>([
    ['the same work', 'first', 'float32', async () => {}, ['b']],
    ['the same work with files', 'first', 'float32', async () => {}, ['b'], heatmaps],
    ['work for another store', 'second', 'float32', async () => {}, ['a', 'b']],
    [
      'workers with other pins, after the store was emptied',
      'first',
      'int8',
      () => rm(join(folder, 'first'), { recursive: true }),
      ['a', 'b'],
    ],
    [
      'a store that has lost their files',
      'first',
      'float32',
      () => rm(join(folder, 'first', 'maps'), { recursive: true }),
      ['a', 'b'],
      heatmaps,
    ],
  ])('and go on with %s', async (_what, name, precision, meanwhile, expected, heatmaps = null) => {
    const work = { ...settings, heatmaps };
    expect(await workOn(new LocalStore(join(folder, 'first')), 'float32', work, true)).toEqual(['a']);
    await meanwhile();
    const store = new LocalStore(join(folder, name));
    expect(await workOn(store, precision, work, false)).toEqual(expected);
    if (heatmaps) {
      const files = await readdir(join(folder, name, 'maps', chunk));
      expect(files).toEqual(['000000.heat.jpg', '000001.heat.jpg']);
    }
    const record = JSON.parse(Buffer.from(await store.read(places.done(chunk))).toString());
    const part = Buffer.from(await store.read(places.part(record.file))).toString();
    expect(part.match(/tiny@\w+/g)).toEqual([`tiny@${precision}`, `tiny@${precision}`]);
  });
});
