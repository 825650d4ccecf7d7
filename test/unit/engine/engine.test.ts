/** What one call of `score` gives, and what opening an engine refuses. */

import { appendFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { CraneError } from '../../../src/errors.js';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { codeOf } from '../awaiting.js';
import { makeFakeAddon } from './fake-addon.js';
import { useToyModel } from './toy-engine.js';
import { makeToyModel, pixels, writePicture } from './toy-model.js';

const toy = useToyModel();

describe('score', () => {
  it('gives one result as the contract states it', async () => {
    const { engine } = await toy.open();
    const path = await writePicture(toy.at('ä b.png'), 204, 40, 30);
    const result = await engine.score(path);
    expect(result).toEqual({
      input: path,
      index: 0,
      score: expect.closeTo(0.8, 2),
      anomalous: true,
      threshold: 0.5,
      width: 40,
      height: 30,
      model: expect.stringMatching(/^toy@[0-9a-f]{12}$/),
      ms: { decode: expect.any(Number), preprocess: 1, forward: 2, postprocess: 3 },
    });
    expect(result.model).toBe(engine.facts.model);
  });

  it("returns map and regions when asked, in the picture's pixels", async () => {
    const { engine } = await toy.open();
    const result = await engine.score(pixels(255, 40, 30), { map: true, regions: true });
    expect(result.map).toMatchObject({ width: 8, height: 8 });
    expect(result.mapMax).toBe(1);
    expect((await engine.score(pixels(255), { regions: true })).mapMax).toBeUndefined();
    expect(result.regions).toEqual([{ x: 0, y: 0, width: 40, height: 30, area: 1200, peak: 1, mean: 1 }]);
    const resized = await result.map!.resizeTo(40, 30);
    expect(resized).toMatchObject({ width: 40, height: 30 });
    const metadata = await sharp(await resized.toPng()).metadata();
    expect(metadata).toMatchObject({ width: 40, height: 30, depth: 'ushort', channels: 1 });
  });

  it('writes maps as 16-bit PNG without losing a level', async () => {
    const data = Float32Array.from({ length: 12 }, (_, at) => at / 11);
    const map = new AnomalyMap({ data, width: 4, height: 3 }, makeFakeAddon());
    const raw = await sharp(await map.toPng())
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer();
    const levels = new Uint16Array(Uint8Array.from(raw).buffer);
    expect([...levels]).toEqual([...data].map((value) => Math.round(value * 65535)));
  });

  it('uses the stored threshold only with the settings it was calibrated for', async () => {
    const { engine } = await toy.open();
    const threshold = async (options: object) => (await engine.score(pixels(200), options)).threshold;
    expect(await threshold({})).toBe(0.5);
    expect(await threshold({ sigma: 4 })).toBe(0.5);
    expect(await threshold({ sigma: 2 })).toBeNull();
    expect(await threshold({ prompts: 'other' })).toBeNull();
    expect(await threshold({ fit: 'pad' })).toBeNull();
    expect(await threshold({ prompts: 'other', threshold: 0.7 })).toBe(0.7);
    expect(await threshold({ threshold: null })).toBeNull();
    const { anomalous, regions } = await engine.score(pixels(200), { sigma: 2, regions: true });
    expect([anomalous, regions]).toEqual([null, null]);
  });

  it('labels results with a hash that changes with prompts and method', async () => {
    const { engine } = await toy.open();
    const labels = [{}, { prompts: 'other' }, { sigma: 2 }, { fit: 'pad' as const }, { threshold: 0.1 }];
    const models = await Promise.all(
      labels.map(async (options) => (await engine.score(pixels(1), options)).model),
    );
    expect(new Set(models).size).toBe(4);
    expect(models[4]).toBe(models[0]);
  });

  it('encodes a prompt set once per method, and again when its file changed', async () => {
    const { engine, addon } = await toy.open();
    const path = toy.at('mine.pth');
    await writeFile(path, 'one');
    await Promise.all([
      engine.score(pixels(1)),
      engine.score(pixels(2), { prompts: path }),
      engine.score(pixels(3), { prompts: path }),
    ]);
    expect(addon.log.prompts.map(({ material }) => material.files['prompts'])).toEqual([
      toy.at('prompts.safetensors'),
      path,
    ]);
    await writeFile(path, 'changed');
    await engine.score(pixels(2), { prompts: path });
    expect(addon.log.prompts).toHaveLength(3);
    expect([...addon.log.prompts[0]!.material.texts['normal']![0]!.subarray(0, 4)]).toEqual([
      49406, 343, 14115, 269,
    ]);
    expect(await codeOf(engine.score(pixels(1), { prompts: 'nosuch' }))).toBe('E_PROMPTS');
  });

  it("takes a training's folder as its final prompts", async () => {
    const { engine, addon } = await toy.open();
    const folder = toy.at('trained');
    await mkdir(folder);
    const refused = engine.score(pixels(1), { prompts: folder });
    await expect(refused).rejects.toMatchObject({
      code: 'E_PROMPTS',
      message: `${folder}: has no prompts.safetensors`,
    });
    const file = join(folder, 'prompts.safetensors');
    await writeFile(file, 'learned');
    const [byFile, byFolder] = [
      await engine.score(pixels(1), { prompts: file }),
      await engine.score(pixels(1), { prompts: folder }),
    ];
    expect(byFolder.model).toBe(byFile.model);
    expect(addon.log.prompts.map(({ material }) => material.files['prompts'])).toContain(file);
    expect(addon.log.prompts.filter(({ material }) => material.files['prompts'] === file)).toHaveLength(1);
  });

  it('takes nothing of a prompt file that changes while it is read', async () => {
    const path = toy.at('replaced.pth');
    await writeFile(path, 'one');
    const { engine, addon } = await toy.open(
      {},
      { onEncode: ({ files }) => files['prompts'] === path && appendFileSync(path, 'other') },
    );
    expect(await codeOf(engine.score(pixels(1), { prompts: path }))).toBe('E_INPUT_CHANGED');
    expect(addon.log.removed).toHaveLength(1);
  });

  it.each([
    [{ treshold: 0.5 }, /score knows no option "treshold"/, 'did you mean "threshold"?'],
    [{ threads: 2 }, /score takes no option "threads": it belongs to loadEngine/, undefined],
    [
      { threshold: '0.5' },
      /Expected a number from 0 to 2, or none \(null\) for threshold but received '0.5' of type string/,
      undefined,
    ],
    [{ compat: { batchmean: true } }, /no option "compat.batchmean"/, 'did you mean "compat.batchMean"?'],
    [7, /Expected an object for the options of score but received 7 of type number/, undefined],
  ])('refuses %j by name', async (options, message, hint) => {
    const { engine } = await toy.open();
    const error = await engine.score(pixels(1), options as object).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({ code: 'E_USAGE', message: expect.stringMatching(message), hint });
  });
});

describe('loadEngine', () => {
  it('takes another input size, and passes on the refusal of one that does not fit the patch', async () => {
    const { engine } = await toy.open({ size: { width: 56, height: 28 } });
    expect(engine.facts.input).toEqual({ width: 56, height: 28 });
    expect(await codeOf(toy.open({ size: 30 }))).toBe('E_MODEL_CONFIG');
  });

  it('names a weight file that is missing', async () => {
    const other = await makeToyModel(toy.at('broken'), (json) => {
      json.weights[0]!.file = 'gone.safetensors';
    });
    expect(await codeOf(openEngine(makeFakeAddon(), other))).toBe('E_WEIGHTS_NOT_FOUND');
  });
});

it('a CraneError is what callers catch', async () => {
  const { engine } = await toy.open();
  await expect(engine.score(toy.at('no.png'))).rejects.toBeInstanceOf(CraneError);
});

describe('the progress of a start', () => {
  it('tells each stage as it begins, with the bytes of the weights', async () => {
    const model = toy.model();
    const told: { stage: string; bytes?: number }[] = [];
    const engine = await openEngine(makeFakeAddon(), model, {
      onProgress: ({ stage, ms, bytes }) => {
        expect(ms).toBeGreaterThanOrEqual(0);
        told.push({ stage, ...(bytes === undefined ? {} : { bytes }) });
      },
    });
    await engine.dispose();
    expect(told).toEqual([
      { stage: 'weights', bytes: expect.any(Number) },
      { stage: 'prompts' },
      { stage: 'ready' },
    ]);
    expect(told[0]!.bytes).toBeGreaterThanOrEqual(0);
  });

  it('ends with what its listener throws, and frees what was loaded', async () => {
    const addon = makeFakeAddon();
    const model = toy.model();
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === 'prompts') throw new Error('enough');
    };
    await expect(openEngine(addon, model, { onProgress })).rejects.toThrow('enough');
    expect(addon.log.disposed).toBe(1);
    await expect(openEngine(addon, model, { onProgress: 1 as never })).rejects.toMatchObject({
      code: 'E_USAGE',
    });
  });
});
