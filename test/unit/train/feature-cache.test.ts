import { mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CraneOptions } from '../../../src/addon/native.js';
import { readingOf } from '../../../src/images/reading.js';
import type { Machine } from '../../../src/runs/machine.js';
import { weightHash } from '../../../src/runs/weight-hashes.js';
import { featureBytes, freeBytes, removeStale } from '../../../src/train/feature-cache.js';
import { featureKey, featureSettings } from '../../../src/train/feature-key.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { fakeCellsOf, fakeShape } from '../engine/fake-training.js';
import { writePicture } from '../engine/toy-model.js';
import { leave } from '../files/left.js';
import { errorOf, fake, useWorkplace } from './workplace.js';

const work = useWorkplace();
const machine: Machine = {
  cpu: 'A',
  isa: 'plain',
  precision: 'float32',
  kernels: 'best',
  device: 'cuda:0',
  threads: 2,
  libtorch: '2.11.0',
};
const base = () => ({
  model: work.model,
  size: { width: 28, height: 28 },
  method: work.model.method as CraneOptions,
  shape: fakeShape(28, 28),
  precision: 'f16' as 'f16' | 'f32',
  reading: readingOf(),
  weights: ['aa'],
  machine,
});
const keyOf = (change: Partial<ReturnType<typeof base>> = {}) =>
  featureKey(featureSettings({ ...base(), ...change }));
const method = (change: object): { method: CraneOptions } => ({
  method: { ...base().method, ...change } as CraneOptions,
});

describe('the key of the settings', () => {
  it('is another one for whatever decides a feature', () => {
    const { compat } = base().method;
    const vision = { ...work.model.vision, blocks: 2 };
    const changes: Partial<ReturnType<typeof base>>[] = [
      { weights: ['ab'] },
      { weights: ['aa', 'aa'] },
      { precision: 'f32' },
      { reading: readingOf({ compat: { exif: false } }) },
      { reading: readingOf({ compat: { grey16: true } }) },
      { reading: readingOf({ bitDepth: 12 }) },
      { reading: readingOf({ valueRange: { low: 0, high: 1 } }) },
      { size: { width: 28, height: 42 } },
      { shape: fakeShape(28, 42) },
      { model: { ...work.model, vision } },
      { model: { ...work.model, recipes: [] } },
      method({ eAttn: 'vv' }),
      method({ eAttnLayers: 3 }),
      method({ features: [3] }),
      method({ dAttn: true }),
      method({ maps: 'dattn' }),
      method({ dAttnBeta: 1.08 }),
      method({ fusion: false }),
      method({ compat: { ...compat, aliasedFeatures: false } }),
      method({ compat: { ...compat, emptyRows: 'nan' } }),
      method({ compat: { ...compat, dAttnLayers: [1] } }),
      { machine: { ...machine, cpu: 'B' } },
      { machine: { ...machine, isa: 'avx2' } },
      { machine: { ...machine, kernels: 'ref' } },
      { machine: { ...machine, precision: 'bfloat16' } },
      { machine: { ...machine, device: 'cpu' } },
      { machine: { ...machine, threads: 1 } },
      { machine: { ...machine, libtorch: '2.12.0' } },
    ];
    const keys = [keyOf(), ...changes.map(keyOf)];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is the same for what concerns scoring or the text tower alone', () => {
    const { compat } = base().method;
    for (const change of [
      method({ sigma: 1 }),
      method({ temperature: 1 }),
      method({ imageScore: 'fused' }),
      method({ softMean: false }),
      method({ guidanceAtTest: 'pad-suffix' }),
      method({ compat: { ...compat, halfDeepTokens: false } }),
      { machine: { ...machine, device: 'cuda:1' } },
      { model: { ...work.model, threshold: 0.1, prompts: { default: 'other', sets: {} } } },
    ])
      expect(keyOf(change)).toBe(keyOf());
  });
});

describe('the cache', () => {
  it('says in its folder what it is for, and serves other runs', async () => {
    const first = fake();
    await (await work.trainer({ out: work.at('first'), epochs: 1 }, { addon: first })).run();
    expect(first.log.features).toHaveLength(6);
    const folder = join(first.log.features[0]!, '..');
    const key = JSON.parse(await readFile(join(folder, 'key.json'), 'utf8'));
    expect(key).toMatchObject({ precision: 'f16', input: { width: 28 }, machine: { threads: 2 } });
    const second = fake();
    await (await work.trainer({ out: work.at('second'), epochs: 1, seed: 2 }, { addon: second })).run();
    expect(second.log.features).toEqual([]);
  });

  it('computes a damaged file again and says so; the result is the same', async () => {
    const cache = work.at('damaged cache');
    const addon = fake();
    await (await work.trainer({ out: work.at('sound'), cache, epochs: 1 }, { addon })).run();
    const [first, second] = addon.log.features;
    await truncate(first!, 20);
    await writeFile(second!, '{"mean": 0.5, "check": "wrong"}');
    const notes: string[] = [];
    const again = fake();
    await (await work.trainer({ out: work.at('repaired'), cache, epochs: 1 }, { addon: again })).run({
      onProgress: (event) => void (event.stage === 'note' && notes.push(event.text)),
    });
    expect(notes.filter((note) => note.includes('damaged'))).toHaveLength(2);
    expect([...again.log.features].sort()).toEqual([first, second].sort());
    expect(await work.bytesOf(work.at('repaired'))).toEqual(await work.bytesOf(work.at('sound')));
  });

  it('keeps the counts of masks: a second run opens none, a changed mask is counted anew, no tower runs', async () => {
    const cache = work.at('counted cache');
    const { writeMask, writeToySet } = await import('./toy-set.js');
    const data = await writeToySet(work.at('counted set'), { from: 170 });
    const sums: (number | undefined)[] = [];
    const run = async (out: string) => {
      const addon = fake({
        onStep: async (items) => {
          for (const item of items) sums.push((await fakeCellsOf(item))?.reduce((a, b) => a + b, 0));
        },
      });
      let counted = 0;
      const { countCells } = addon;
      addon.countCells = (...args) => {
        counted++;
        return countCells(...args);
      };
      sums.length = 0;
      await (await work.trainer({ out: work.at(out), data, cache, epochs: 1 }, { addon })).run();
      return { counted, features: addon.log.features.length };
    };
    expect(await run('counted 1')).toEqual({ counted: 3, features: 6 });
    expect(await run('counted 2')).toEqual({ counted: 0, features: 0 });
    expect(sums.sort()).toEqual([0, 0, 0, 192, 192, 192]);
    await writeMask(join(data, 'masks', 'hole_4.png'), 32, 24, 9);
    expect(await run('counted 3')).toEqual({ counted: 1, features: 0 });
    expect(sums.sort()).toEqual([0, 0, 0, 144, 192, 192]);
  });

  it('holds the counts of two masks of one picture', async () => {
    const { writeMask, writeToySet } = await import('./toy-set.js');
    const data = [await writeToySet(work.at('mask a')), await writeToySet(work.at('mask b'))];
    await writeMask(join(data[1]!, 'masks', 'hole_4.png'), 32, 24, 9);
    const sums: (number | undefined)[] = [];
    const addon = fake({
      onStep: async (items) => {
        for (const item of items) sums.push((await fakeCellsOf(item))?.reduce((a, b) => a + b, 0));
      },
    });
    const cache = work.at('two masks cache');
    await (await work.trainer({ out: work.at('two masks'), data, cache, epochs: 1 }, { addon })).run();
    expect(addon.log.features).toHaveLength(6);
    expect(sums.sort()).toEqual([0, 0, 0, 0, 0, 0, 144, 192, 192, 192, 192, 192]);
  });

  it('of an earlier version is taken as it is; counts are added and it is said', async () => {
    const cache = work.at('cache of before');
    const addon = fake();
    await (await work.trainer({ out: work.at('today'), cache, epochs: 1 }, { addon })).run();
    const [first, second] = addon.log.features;
    for (const path of [first!, second!]) {
      const { masks: _, ...before } = JSON.parse(await readFile(path, 'utf8'));
      await writeFile(path, JSON.stringify(before));
    }
    const notes: string[] = [];
    const again = fake();
    const out = work.at('from before');
    await (await work.trainer({ out, cache, epochs: 1 }, { addon: again })).run({
      onProgress: (event) => void (event.stage === 'note' && notes.push(event.text)),
    });
    expect(notes.filter((note) => note.includes('earlier version'))).toEqual([
      'features of 2 pictures were kept by an earlier version: the anomalous pixels of their masks are added',
    ]);
    expect(again.log.features).toEqual([]);
    expect(await work.bytesOf(out)).toEqual(await work.bytesOf(work.at('today')));
  });

  it('does not mistake a changed picture or changed weights for the old ones', async () => {
    const cache = work.at('changing cache');
    const { writeToySet } = await import('./toy-set.js');
    const data = await writeToySet(work.at('changing set'));
    await (await work.trainer({ out: work.at('before'), data, cache, epochs: 1 })).run();
    await writePicture(join(data, 'test', 'good_1.png'), 99);
    const addon = fake();
    await (await work.trainer({ out: work.at('after'), data, cache, epochs: 1 }, { addon })).run();
    expect(addon.log.features).toHaveLength(1);
    const path = join(work.model.folder, 'weights.safetensors');
    const weights = await readFile(path);
    await writeFile(path, 'weightz');
    const other = fake();
    await (
      await work.trainer({ out: work.at('other weights'), data, cache, epochs: 1 }, { addon: other })
    ).run();
    await writeFile(path, weights);
    expect(other.log.features).toHaveLength(6);
  });

  it('computes equal pictures once', async () => {
    const { writeToySet } = await import('./toy-set.js');
    const data = [await writeToySet(work.at('twin a')), await writeToySet(work.at('twin b'))];
    const addon = fake();
    const cache = work.at('twin cache');
    await (await work.trainer({ out: work.at('twins'), data, cache, epochs: 1 }, { addon })).run();
    expect(addon.log.features).toHaveLength(6);
  });

  it('is shared by two runs at once, which end alike', async () => {
    const cache = work.at('shared cache');
    const outs = ['left', 'right'].map((name) => work.at(name));
    await Promise.all(outs.map(async (out) => (await work.trainer({ out, cache, epochs: 2 })).run()));
    expect(await work.bytesOf(outs[0]!)).toEqual(await work.bytesOf(outs[1]!));
    const [folder] = await readdir(cache);
    expect((await readdir(join(cache, folder!))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('takes away temporary files of the dead, not those of the living', async () => {
    const folder = work.at('stale');
    await mkdir(folder);
    for (const name of ['old.safetensors.1-0.tmp', 'new.safetensors.2-0.tmp', 'old.safetensors'])
      await writeFile(join(folder, name), '');
    const before = new Date(Date.now() - 7_200_000);
    await writeFile(join(folder, 'mine.tmp'), '');
    const left = basename(await leave(join(folder, 'key.json')));
    for (const name of ['old.safetensors.1-0.tmp', 'old.safetensors', 'mine.tmp', left])
      await utimes(join(folder, name), before, before);
    expect(await removeStale(folder)).toBe(2);
    expect((await readdir(folder)).sort()).toEqual([
      'mine.tmp',
      'new.safetensors.2-0.tmp',
      'old.safetensors',
    ]);
  });

  it('keeps what it has when a feature cannot be written', async () => {
    const cache = work.at('full cache');
    let written = 0;
    const addon = fake({
      beforeWrite: () => {
        if (++written > 3)
          throw Object.assign(new Error('no space left'), { code: 'E_IO_WRITE', hint: 'room' });
      },
    });
    const out = work.at('full');
    const error = await errorOf((await work.trainer({ out, cache, epochs: 1 }, { addon })).run());
    expect(error).toMatchObject({ code: 'E_IO_WRITE', hint: 'room' });
    const again = fake();
    await (await work.trainer({ out, cache, epochs: 1, resume: true }, { addon: again })).run();
    expect(again.log.features).toHaveLength(3);
  });

  it('stops between pictures and keeps what is done', async () => {
    const cache = work.at('stopped cache');
    const stop = new AbortController();
    const out = work.at('stopped');
    const trainer = await work.trainer({ out, cache, epochs: 1 }, { addon: makeFakeAddon({ passMs: 15 }) });
    const error = await errorOf(
      trainer.run({
        signal: stop.signal,
        onProgress: (event) => void (event.stage === 'features' && event.done === 2 && stop.abort()),
      }),
    );
    expect(error).toMatchObject({ code: 'E_CANCELLED', message: expect.stringContaining('they are kept') });
    const again = fake();
    await (await work.trainer({ out, cache, epochs: 1, resume: true }, { addon: again })).run();
    expect(again.log.features.length).toBeLessThanOrEqual(4);
    expect(again.log.features.length).toBeGreaterThan(0);
  });

  it('that cannot be written names the option', async () => {
    await writeFile(work.at('a file'), '');
    const out = work.at('no cache');
    const trainer = await work.trainer({ out, cache: work.at('a file', 'in it') });
    expect(await errorOf(trainer.run())).toMatchObject({
      code: 'E_IO_WRITE',
      hint: expect.stringContaining('--cache'),
    });
  });
});

it('the size of a file follows from its shape', () => {
  const tensors = [
    { name: 'global', shape: [10] },
    { name: 'maps', shape: [2, 12, 10] },
  ];
  const shape = { tensors, grid: { width: 3, height: 4 } };
  expect(featureBytes(shape, 'f16')).toBe((1 + 2 * 12) * 10 * 2);
  expect(featureBytes(shape, 'f32')).toBe((1 + 2 * 12) * 10 * 4);
});

it('free bytes are those of the disk where a folder will be', async () => {
  expect(await freeBytes(work.at('not', 'yet', 'there'))).toBeGreaterThan(0);
});

describe('hashes of weights', () => {
  it('of large files are remembered until the file changes', async () => {
    const path = work.at('large');
    const cache = work.at('hashes');
    await writeFile(path, Buffer.alloc(64 * 2 ** 20, 1));
    const before = new Date(Date.now() - 60_000);
    await utimes(path, before, before);
    const hash = await weightHash(path, cache);
    const [record] = await readdir(join(cache, 'weights'));
    expect(await readFile(join(cache, 'weights', record!), 'utf8')).toBe(`${hash}\n`);
    await writeFile(path, Buffer.alloc(64 * 2 ** 20, 2));
    expect(await weightHash(path, cache)).not.toBe(hash);
    // A file written a moment ago may change again unseen.
    expect(await readdir(join(cache, 'weights'))).toHaveLength(1);
    await rm(path);
  });
});
