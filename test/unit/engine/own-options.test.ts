/** What a caller does with its own objects, after a call or while it runs, decides nothing; what it is handed is its own. */
import { describe, expect, it } from 'vitest';
import type { EngineOptions } from '../../../src/options/types.js';
import { codeOf, collect } from '../awaiting.js';
import { useToyModel } from './toy-engine.js';
import { pixels, toyModelJson } from './toy-model.js';

const toy = useToyModel();

/** Three rooms of 16 pixels, each brighter than the one before. */
const rooms = {
  data: Uint8Array.from({ length: 48 * 16 }, (_, at) => 60 * (1 + Math.floor((at % 48) / 16))),
  width: 48,
  height: 16,
  channels: 1 as const,
};
const deep = { data: new Uint16Array(16 * 16).fill(1000), width: 16, height: 16, channels: 1 as const };
const scoresOf = (found: readonly object[]) =>
  found.map((each) => Number((each as { score: number }).score.toFixed(2)));
const roiOf = (x: number) => ({ x, y: 0, width: 16, height: 16 });

describe('options of a call', () => {
  it('hold the rectangle that was given, and each result has its own', async () => {
    const { engine } = await toy.open();
    const roi = roiOf(0);
    const calls = [0, 16, 32].map((x) => {
      roi.x = x;
      return engine.score(rooms, { roi });
    });
    roi.x = Number.NaN;
    const found = await Promise.all(calls);
    expect(scoresOf(found)).toEqual([0.24, 0.47, 0.71]);
    expect(found.map((each) => each.roi)).toEqual([roiOf(0), roiOf(16), roiOf(32)]);

    const given = { roi: roiOf(16) };
    const cut: object[] = [];
    for await (const each of engine.scoreMany([rooms, rooms, rooms], given)) {
      (each as { roi: { x: number } }).roi.x = 0;
      given.roi.x = 32;
      cut.push(each);
    }
    expect(scoresOf(cut)).toEqual([0.47, 0.47, 0.47]);
  });

  it('hold the range of values that was given', async () => {
    const { engine } = await toy.open();
    const valueRange = { low: 0, high: 2000 };
    const call = engine.score(deep, { valueRange });
    valueRange.high = 1000;
    expect((await call).score).toBeCloseTo(0.5, 1);
  });

  it('are read once by a stream', async () => {
    const { engine } = await toy.open();
    const options: { threshold: number; batch: number } = { threshold: 0.1, batch: 1 };
    const thresholds: unknown[] = [];
    for await (const each of engine.scoreMany(
      [1, 2, 3, 4, 5, 6, 7, 8].map((each) => pixels(each)),
      options,
    )) {
      thresholds.push((each as { threshold: unknown }).threshold);
      options.threshold = 'zzz' as never;
    }
    expect(thresholds).toEqual(Array(8).fill(0.1));
  });

  it('hold the blocks and switches of the method', async () => {
    const { engine, addon } = await toy.open();
    const given = { features: [2, 3], compat: { dAttnLayers: [1] } };
    const call = engine.score(pixels(9), given);
    given.features[0] = 4;
    given.compat.dAttnLayers[0] = 4;
    await call;
    expect(addon.log.passes[0]!.method).toMatchObject({ features: [2, 3], compat: { dAttnLayers: [1] } });
  });

  it('that are undefined leave those of the stream to a picture', async () => {
    const { engine } = await toy.open();
    const item = { input: pixels(9), threshold: undefined } as never;
    expect(await collect(engine.scoreMany([item], { threshold: 0.2 }))).toMatchObject([{ threshold: 0.2 }]);
  });
});

describe('pictures of a source', () => {
  it('may come in an object that is filled anew', async () => {
    const { engine } = await toy.open();
    function* filling() {
      const item = { input: { ...pixels(0) }, threshold: 0, roi: roiOf(0), name: '' };
      for (const at of [1, 2, 3]) {
        item.input.data = new Uint8Array(32 * 24 * 3).fill(50 * at);
        item.threshold = at / 10;
        item.roi.x = at;
        item.name = `${at}`;
        yield item;
      }
    }
    const found = await collect(engine.scoreMany(filling(), { batch: 3 }));
    expect(scoresOf(found)).toEqual([0.2, 0.39, 0.59]);
    expect(found).toMatchObject(
      [1, 2, 3].map((at) => ({ input: `${at}`, threshold: at / 10, roi: { x: at } })),
    );
  });

  it('may be frames whose object is filled anew', async () => {
    const { engine } = await toy.open();
    function* filling() {
      const frame = pixels(0);
      for (const at of [1, 2, 3]) {
        frame.data = new Uint8Array(32 * 24 * 3).fill(50 * at);
        yield frame;
      }
    }
    expect(scoresOf(await collect(engine.scoreMany(filling(), { batch: 3 })))).toEqual([0.2, 0.39, 0.59]);
  });
});

describe('a loaded engine', () => {
  it('holds the options that it was loaded with', async () => {
    const options = {
      sigma: 1,
      features: [2],
      compat: { exif: true as boolean },
      valueRange: { low: 0, high: 2000 },
      size: { width: 28, height: 28 },
    } satisfies EngineOptions;
    const { engine, addon } = await toy.open(options);
    options.sigma = -1;
    options.features[0] = 99;
    options.compat.exif = false;
    options.valueRange.high = 1000;
    options.size.width = 1;
    expect((await engine.score(deep)).score).toBeCloseTo(0.5, 1);
    expect(addon.log.passes[0]!.method).toMatchObject({ sigma: 1, features: [2] });
    expect(engine.settings().reading).toMatchObject({ exif: true, valueRange: { low: 0, high: 2000 } });
    expect(engine.facts.input).toEqual({ width: 28, height: 28 });
  });

  it('hands out settings that are the receiver’s', async () => {
    const { engine, addon } = await toy.open({ valueRange: { low: 0, high: 2000 } });
    const settings = engine.settings() as unknown as {
      method: { features: number[]; compat: { halfDeepTokens: boolean } };
      reading: { valueRange: { high: number } };
    };
    settings.method.features[0] = 1;
    settings.method.compat.halfDeepTokens = false;
    settings.reading.valueRange.high = 1000;
    expect((await engine.score(deep)).score).toBeCloseTo(0.5, 1);
    const { features, compat } = toyModelJson.method;
    expect(addon.log.passes[0]!.method).toMatchObject({ features, compat });
    expect(toy.model().method).toMatchObject({ features, compat });
  });

  it('tells facts that nobody changes', async () => {
    const { engine } = await toy.open();
    for (const change of [
      () => (engine.facts.input.width = 1),
      () => (engine.facts.vision.layers = 1),
      () => engine.facts.prompts['plain']!.learnedOn.push('more'),
    ])
      expect(change).toThrow(TypeError);
    expect(engine.facts).toMatchObject({ input: { width: 28, height: 28 } });
    expect(toy.model().prompts.sets['plain']!.learnedOn).toEqual(['toys']);
  });

  it('refuses settings for options that it does not know', async () => {
    const { engine } = await toy.open();
    const wrong = { thresold: 1 } as never;
    expect(() => engine.settings(wrong)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    expect(() => engine.calibrationOf(wrong)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    expect(await codeOf(engine.preparePrompts(wrong))).toBe('E_USAGE');
  });
});
