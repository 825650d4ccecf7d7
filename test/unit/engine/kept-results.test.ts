/** Results of a stream that nobody has taken yet: they count in the memory limit, and never stop anybody but their own stream. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { PictureScore, ScoreOutcome } from '../../../src/engine/result.js';
import { makeGate } from '../awaiting.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();

const pixelsOfPicture = 32 * 24;
/** decoded in three channels, and the map in the picture's size */
const unitBytes = pixelsOfPicture * (3 + 4);
const mapBytes = pixelsOfPicture * 4;
const pictures = (count: number) => Array.from({ length: count }, (_, at) => pixels(10 * at));
const scored = (outcome: ScoreOutcome | undefined) => outcome as PictureScore;

describe('maps in the size of their pictures', () => {
  it('are those that resizing gives, without another pass over the map', async () => {
    const { engine, addon } = await toy.open();
    const small = await engine.score(pixels(90), { map: true });
    addon.resizeMap = () => Promise.reject(new Error('resized again'));
    const { map, mapMax } = await engine.score(pixels(90), { map: true, mapSize: 'picture' });
    expect([map!.width, map!.height, mapMax]).toEqual([32, 24, small.mapMax]);
    expect(new Set(map!.data)).toEqual(new Set(small.map!.data));
  });

  it('hold a slow caller’s stream up as soon as they fill the memory limit', async () => {
    const { engine, addon } = await toy.open({ maxDecodedBytes: unitBytes });
    const results = engine.scoreMany(pictures(12), { batch: 1, map: true, mapSize: 'picture' });
    for (let taken = 1; taken <= 12; taken++) {
      expect(scored((await results.next()).value).map!.data).toHaveLength(pixelsOfPicture);
      await sleep(15);
      expect(engine.decodedBytes).toBeGreaterThanOrEqual(mapBytes);
      // A picture that is prepared sooner than the one before it may find room, and wait with its map: one, never a second.
      expect(engine.decodedBytes).toBeLessThanOrEqual(unitBytes + mapBytes);
      expect(addon.log.passes.length).toBeGreaterThanOrEqual(taken);
      expect(addon.log.passes.length).toBeLessThanOrEqual(taken + 1);
    }
    expect((await results.next()).done).toBe(true);
    expect(engine.decodedBytes).toBe(0);
  });

  it('of a unit are given back one by one', async () => {
    const { engine } = await toy.open();
    const results = engine.scoreMany(pictures(3), { batch: 3, map: true, mapSize: 'picture' });
    const held: number[] = [];
    while (!(await results.next()).done) held.push(engine.decodedBytes / mapBytes);
    expect(held).toEqual([3, 2, 1]);
    expect(engine.decodedBytes).toBe(0);
  });

  it('are given back where the caller leaves, and where it is cancelled', async () => {
    const options = { batch: 2, map: true, mapSize: 'picture' as const };
    const left = await toy.open();
    for await (const _ of left.engine.scoreMany(pictures(9), options)) {
      // Later units are done and wait.
      while (left.addon.log.passes.length < 4) await sleep(2);
      await sleep(10);
      break;
    }
    // Passes that run come to their end first.
    await left.engine.dispose();
    expect(left.engine.decodedBytes).toBe(0);

    const { engine } = await toy.open();
    const controller = new AbortController();
    const results = engine.scoreMany(pictures(9), { ...options, signal: controller.signal });
    await results.next();
    controller.abort();
    while (!(await results.next().catch(() => ({ done: true }))).done);
    await engine.dispose();
    expect(engine.decodedBytes).toBe(0);
  });
});

describe('a caller that holds results while it waits for other work', () => {
  const options = { batch: 1, map: true, mapSize: 'picture' as const };

  it('gets a single call through, and a heat map', async () => {
    const { engine } = await toy.open({ maxDecodedBytes: 1 });
    let seen = 0;
    for await (const outcome of engine.scoreMany(pictures(4), options)) {
      const { score } = await engine.score(pixels(10 * seen));
      expect(score).toBe(scored(outcome).score);
      expect((await engine.heatMap(pixels(1), scored(outcome).map!)).length).toBeGreaterThan(0);
      seen++;
    }
    expect(seen).toBe(4);
  });

  it('gets another stream through, in turns and as a whole', async () => {
    const { engine } = await toy.open({ maxDecodedBytes: 1 });
    const [one, other] = [engine.scoreMany(pictures(3), options), engine.scoreMany(pictures(3), options)];
    for (let at = 0; at < 3; at++)
      expect(scored((await one.next()).value).score).toBe(scored((await other.next()).value).score);
    expect([(await one.next()).done, (await other.next()).done]).toEqual([true, true]);
    let inner = 0;
    for await (const _ of engine.scoreMany(pictures(2), options))
      for await (const __ of engine.scoreMany(pictures(3), options)) inner++;
    expect(inner).toBe(6);
  });

  it('gets an early picture that was slow to read, though later ones are done', async () => {
    const gate = makeGate();
    const { engine, addon } = await toy.open({ maxDecodedBytes: unitBytes });
    async function* late() {
      await gate.wait();
      yield await import('sharp').then(({ default: sharp }) =>
        sharp({ create: { width: 32, height: 24, channels: 3, background: 'red' } })
          .png()
          .toBuffer(),
      );
    }
    const { Readable } = await import('node:stream');
    const results = engine.scoreMany([{ input: Readable.from(late()) as never }, ...pictures(2)], options);
    const first = results.next();
    while (addon.log.passes.length === 0) await sleep(2);
    gate.open();
    expect(scored((await first).value).index).toBe(0);
    expect(scored((await results.next()).value).index).toBe(1);
    await results.return?.();
    await engine.dispose();
    expect(engine.decodedBytes).toBe(0);
  });
});

describe('heat maps of a pass', () => {
  it('equal those that are drawn from picture and map, of every format and range', async () => {
    const { engine } = await toy.open();
    const { map } = await engine.score(pixels(90), { map: true });
    for (const options of [
      {},
      { heatmapFormat: 'png' as const, heatmapRange: { low: 0, high: 2 } },
      { legend: false, mapThreshold: 0.3 },
    ]) {
      const drawn = await engine.heatMap(pixels(90), map!, options);
      const result = await engine.score(pixels(90), { heatmap: true, ...options });
      expect(Buffer.compare(result.heatmap!, drawn)).toBe(0);
      expect([result.map, result.mapMax]).toEqual([undefined, expect.any(Number)]);
    }
  });

  it('count until they are taken, and what they were drawn in does not', async () => {
    const { engine } = await toy.open();
    const results = engine.scoreMany(pictures(2), { batch: 1, heatmap: true });
    const { heatmap } = scored((await results.next()).value);
    await sleep(20);
    const later = scored((await results.next()).value).heatmap!;
    expect(engine.decodedBytes).toBe(later.byteLength);
    expect(heatmap!.byteLength).toBeGreaterThan(0);
    await results.return?.();
    expect(engine.decodedBytes).toBe(0);
  });

  it('are refused with a range that is none', async () => {
    const { engine } = await toy.open();
    await expect(
      engine.score(pixels(1), { heatmap: true, heatmapRange: { low: 1, high: 1 } }),
    ).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});
