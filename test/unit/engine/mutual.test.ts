import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../../src/engine/learn-normals.js';
import { isFailed, type PictureScore } from '../../../src/engine/result.js';
import type { CraneError } from '../../../src/errors.js';
import { codeOf, collect, unending } from '../awaiting.js';
import { useToyModel } from './toy-engine.js';
import { pixels, writePicture } from './toy-model.js';

const toy = useToyModel();
const scores = (found: readonly object[]) => found.map((each) => (each as PictureScore).score);

describe('scoreMutual', () => {
  it('scores each picture by the others, each read once, with names and settings of the call', async () => {
    const { engine, addon } = await toy.open();
    const read: number[] = [];
    const source = [pixels(0), { input: pixels(10), name: 'ten' }, pixels(40)];
    const found = await collect(engine.scoreMutual(source, { onRead: (done) => read.push(done), map: true }));
    expect(scores(found)).toEqual([10, 10, 30].map((grey) => expect.closeTo(grey / 255, 5)));
    expect(found[1]).toMatchObject({ input: 'ten', index: 1 });
    expect(read).toEqual([1, 2, 3]);
    expect(addon.log.prompts.filter(({ material }) => material.normals)).toHaveLength(3);
    // One label for all, which depends on every one of them, not on their order.
    const labels = (all: readonly object[]) => new Set(all.map((each) => (each as PictureScore).model));
    expect(labels(found).size).toBe(1);
    const turned = await collect(engine.scoreMutual([pixels(40), pixels(10), pixels(0)]));
    expect(labels(turned)).toEqual(labels(found));
    const other = await collect(engine.scoreMutual([pixels(40), pixels(10), pixels(1)]));
    expect(labels(other)).not.toEqual(labels(found));
    const shared = await collect(engine.scoreMutual([pixels(40), pixels(10), pixels(0)], { mutualShare: 1 }));
    expect(labels(shared)).not.toEqual(labels(found));
  });

  it('keeps what it read in a folder that it is given', async () => {
    const { engine, addon } = await toy.open();
    const folder = toy.at('patches');
    await collect(engine.scoreMutual([pixels(0), pixels(10)], { folder }));
    expect(await readdir(folder)).toHaveLength(2);
    const before = addon.log.prompts.filter(({ material }) => material.normals).length;
    await collect(engine.scoreMutual([pixels(10), pixels(0), pixels(90)], { folder }));
    expect(addon.log.prompts.filter(({ material }) => material.normals)).toHaveLength(before + 1);
  });

  it('ends at once when its signal fires or its engine is disposed while no picture comes', async () => {
    const { engine } = await toy.open();
    const stop = new AbortController();
    const bySignal = codeOf(collect(engine.scoreMutual(unending(), { signal: stop.signal })));
    const byDispose = codeOf(collect(engine.scoreMutual(unending())));
    await new Promise(setImmediate);
    stop.abort();
    expect(await bySignal).toBe('E_CANCELLED');
    await engine.dispose();
    expect(await byDispose).toBe('E_DISPOSED');
  });

  it('knows a frame again whatever the order of its fields, and whatever stands between its rows', async () => {
    const { engine } = await toy.open();
    const { data, width, height, channels } = pixels(10, 8, 9);
    const padded = new Uint8Array(9 * 30).fill(7);
    for (let y = 0; y < 9; y++) padded.set(data.subarray(0, 24), y * 30);
    const same = [
      { data, width, height, channels },
      { channels, height, width, data: new Uint8ClampedArray(data), bits: 8 },
      { data: padded, width, height, channels, stride: 30 },
      { data: padded.subarray(0, 8 * 30 + 24), width, height, channels, stride: 30 },
    ];
    const others = [pixels(40), { data, width: height, height: width, channels }];
    const pictures = await engine.banks.mutual([...same, ...others], { folder: toy.at('frames') });
    expect(pictures).toMatchObject({ count: 3, copies: 3 });
    pictures.remove();
    const wide = new Uint16Array([256, 512]);
    const frames = [
      { data: wide, width: 2, height: 1, channels: 1 as const },
      { data: wide, width: 2, height: 1, channels: 1 as const, bits: 12 },
      { data: new Uint16Array([256, 513]), width: 2, height: 1, channels: 1 as const },
    ];
    const hashes = await Promise.all(frames.map((frame) => hashOf({ name: 'x', kind: 'pixels', frame })));
    expect(new Set(hashes).size).toBe(3);
    // That of the first versions: banks which hold it stay what they are.
    const shape = JSON.stringify({ width, height, channels });
    const before = createHash('sha256').update(shape).update(data).digest('hex');
    expect(await hashOf({ name: 'x', kind: 'pixels', frame: { channels, data, height, width } })).toBe(
      before,
    );
  });

  it('a picture that cannot be read fails alone', async () => {
    const { engine } = await toy.open();
    const found = await collect(engine.scoreMutual([pixels(0), toy.at('nowhere.png'), pixels(30)]));
    expect(found.map(isFailed)).toEqual([false, true, false]);
    expect(scores([found[0]!, found[2]!])).toEqual([30, 30].map((grey) => expect.closeTo(grey / 255, 5)));
  });

  it('a picture that changed meanwhile is none of those that are compared', async () => {
    const { engine } = await toy.open();
    const path = await writePicture(toy.at('changing.png'), 90);
    const pictures = await engine.banks.mutual([pixels(0), pixels(30), path], { folder: toy.at('changed') });
    const scored = async () =>
      engine.score(path, { method: 'normals', mutual: true, normals: await pictures.of(path) });
    expect((await scored()).score).toBeCloseTo(60 / 255, 5);
    await writePicture(path, 91);
    await expect(scored()).rejects.toMatchObject({ code: 'E_NORMALS' });
    pictures.remove();
  });

  it('refuses what leaves no room for it', async () => {
    const { engine } = await toy.open();
    const fault = async (options: object, source: unknown = [pixels(0), pixels(9)]) => {
      try {
        await collect(engine.scoreMutual(source as never, options));
        return 'none';
      } catch (thrown) {
        return (thrown as CraneError).code;
      }
    };
    for (const options of [
      { prompts: 'x' },
      { normals: 'x' },
      { falseAlarmRate: 0.1 },
      { roi: { x: 0, y: 0, width: 2, height: 2 } },
      { folder: '' },
      { learning: { turns: 0 } },
      { onRead: 1 },
      { batch: 0 },
    ])
      expect(await fault(options), JSON.stringify(options)).toBe('E_USAGE');
    expect(await fault(null as never)).toBe('E_USAGE');
    expect(await fault({}, [pixels(0)])).toBe('E_NORMALS');
    expect(await fault({}, [pixels(3), pixels(3)])).toBe('E_NORMALS');
    expect(await fault({}, 'a path')).toBe('E_USAGE');
    await writeFile(toy.at('stream.png'), 'x');
    const stream = new Blob(['x']).stream();
    expect(await fault({}, [stream, pixels(0)])).toBe('E_USAGE');
  });
});
