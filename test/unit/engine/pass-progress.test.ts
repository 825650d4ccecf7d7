/** A picture of many tiles takes minutes: how far it is, is told meanwhile. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followViews } from '../../../src/engine/pass-progress.js';
import type { PictureProgress } from '../../../src/options/types.js';
import { useToyModel } from './toy-engine.js';

describe('the views of a pass', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are told to the picture that they belong to, as they are done, and at the end', () => {
    const told: [string, number][] = [];
    const tell = (name: string) => (done: number) => void told.push([name, done]);
    const flag = { viewsDone: 0 };
    const pictures = [{ views: { count: 3, tell: tell('a') } }, {}, { views: { count: 4, tell: tell('c') } }];
    const stop = followViews(pictures, flag);
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([]);
    flag.viewsDone = 2;
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([['a', 2]]);
    flag.viewsDone = 6;
    vi.advanceTimersByTime(1000);
    expect(told.slice(1)).toEqual([
      ['a', 3],
      ['c', 2],
    ]);
    flag.viewsDone = 8;
    stop();
    expect(told.at(-1)).toEqual(['c', 4]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are not asked for where nobody listens', () => {
    const flag = {
      get viewsDone(): number {
        throw new Error('asked');
      },
    };
    followViews([{ views: { count: 9 } }, {}], flag)();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an engine', () => {
  const toy = useToyModel();
  // The toy's input is 28 pixels, its step 21: 3 x 1 tiles.
  const strip = { data: new Uint8Array(70 * 28), width: 70, height: 28, channels: 1 as const };
  const views = (...counts: number[]) => ({
    countViews: async (flag: { viewsDone: number }) => {
      for (const count of counts) {
        flag.viewsDone = count;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    },
  });

  it('tells of a picture of several passes, of calls and of streams, and of no other', async () => {
    const told: PictureProgress[] = [];
    const onProgress = (progress: PictureProgress) => void told.push(progress);
    const { engine } = await toy.open({ fit: 'tile' }, views(1, 3));
    await engine.score(strip, { name: 'a', onProgress });
    const all = [
      { input: 'a', done: 1, total: 3 },
      { input: 'a', done: 3, total: 3 },
    ];
    expect(told.splice(0)).toEqual(all);
    for await (const _ of engine.scoreMany([{ input: strip, name: 'a' }], { onProgress }));
    expect(told.splice(0)).toEqual(all);
    await engine.score(strip, { fit: 'stretch', onProgress });
    expect(told).toEqual([]);
    await engine.dispose();
  });

  it('fails the picture whose listener throws, and no neighbour', async () => {
    const { engine } = await toy.open({ fit: 'tile', maxBatch: 2, maxWaitMs: 50 }, views(3, 6));
    const onProgress = () => {
      throw new Error('the listener');
    };
    const [first, second] = await Promise.allSettled([
      engine.score(strip, { onProgress }),
      engine.score(strip, { name: 'b' }),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'the listener' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: { input: 'b' } });
    await expect(engine.score(strip, { onProgress: 1 as never })).rejects.toMatchObject({ code: 'E_USAGE' });
    await engine.dispose();
  });
});
