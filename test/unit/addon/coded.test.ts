/** Every fault that the addon tells leaves the library as a CraneError, through each of its doors. */
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { coded } from '../../../src/addon/coded.js';
import type { NativeAddon, NativeEngine } from '../../../src/addon/native.js';
import { openEngine } from '../../../src/engine/load-engine.js';
import { CraneError } from '../../../src/errors.js';
import { evaluateDataSets } from '../../../src/evaluate/evaluate-data-sets.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { useToyModel } from '../engine/toy-engine.js';
import { pixels } from '../engine/toy-model.js';

const toy = useToyModel();
const native = (code: string) => Object.assign(new Error('as the addon says it'), { code });

/** An addon whose engines have no facts once they are disposed, as the real one's; `breaks` changes its calls. */
async function open(breaks: (addon: NativeAddon, engine: NativeEngine) => void = () => {}) {
  const addon = makeFakeAddon();
  const { openEngine: openFake } = addon;
  addon.openEngine = async (config) => {
    const engine = await openFake(config);
    const { facts, dispose } = engine;
    let isDisposed = false;
    Object.defineProperty(engine, 'facts', {
      get: () => {
        if (isDisposed) throw native('E_DISPOSED');
        return facts;
      },
    });
    engine.dispose = async () => {
      await dispose.call(engine);
      isDisposed = true;
    };
    breaks(addon, engine);
    return engine;
  };
  return openEngine(coded(addon), toy.model());
}

async function faultOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'no error';
  } catch (thrown) {
    return thrown instanceof CraneError ? thrown.code : `no CraneError: ${thrown}`;
  }
}

describe('what the addon throws', () => {
  it('is coded when an engine is opened', async () => {
    const addon = makeFakeAddon();
    addon.openEngine = () => Promise.reject(native('E_DEVICE'));
    expect(await faultOf(() => openEngine(coded(addon), toy.model()))).toBe('E_DEVICE');
    addon.info = () => {
      throw native('E_DISPOSED');
    };
    expect(await faultOf(() => openEngine(coded(addon), toy.model()))).toBe('E_DISPOSED');
    const reading = open((_, engine) => {
      engine.addContext = () => Promise.reject(native('E_PROMPTS'));
    });
    expect(await faultOf(() => reading)).toBe('E_PROMPTS');
  });

  it('is coded when prompts are prepared', async () => {
    const engine = await open();
    const refusing = await open((_, opened) => {
      const { addContext } = opened;
      opened.addContext = async (material, method) => {
        if (JSON.stringify(material).includes('other')) throw native('E_WEIGHTS_CONTAINER');
        return addContext.call(opened, material, method);
      };
    });
    expect(await faultOf(() => engine.preparePrompts({ prompts: 'other' }))).toBe('no error');
    expect(await faultOf(() => refusing.preparePrompts({ prompts: 'other' }))).toBe('E_WEIGHTS_CONTAINER');
  });

  it('is coded when a map is resized; too large an array is memory', async () => {
    const engine = await open((addon) => {
      addon.resizeMap = (_map, _width, _height, width) => {
        if (width > 2 ** 24) throw native('E_IMAGE_TOO_LARGE');
        return Promise.resolve(new Float32Array(2 ** 53 - 1));
      };
    });
    const { map } = await engine.score(pixels(9), { map: true });
    expect(await faultOf(() => map!.resizeTo(2e7, 1))).toBe('E_IMAGE_TOO_LARGE');
    expect(await faultOf(() => map!.resizeTo(2 ** 20, 2 ** 20))).toBe('E_MEMORY');
  });

  it('is E_DISPOSED once the engine is gone', async () => {
    const engine = await open();
    const { map } = await engine.score(pixels(9), { map: true });
    await engine.dispose();
    await writeFile(toy.at('meta.json'), '{}');
    const doors: Record<string, () => unknown> = {
      score: () => engine.score(pixels(9)),
      scoreMany: () => engine.scoreMany([pixels(9)]).next(),
      scoreMutual: () => engine.scoreMutual([pixels(9)]).next(),
      scorePreprocessed: () => engine.scorePreprocessed(new Float32Array(3), { batch: 1, size: 1 }),
      heatMap: () => engine.heatMap(pixels(9), map!),
      preparePrompts: () => engine.preparePrompts(),
      settings: () => engine.settings(),
      calibrationOf: () => engine.calibrationOf(),
      learnNormals: () => engine.learnNormals([pixels(9)]),
      openNormals: () => engine.openNormals('bank'),
      evaluateDataSets: () => evaluateDataSets({ engine, data: toy.at('meta.json') }),
    };
    for (const [name, door] of Object.entries(doors))
      expect([name, await faultOf(door)]).toEqual([name, 'E_DISPOSED']);
  });

  it('comes from objects that the addon opens, too, and what it gives is unchanged', async () => {
    const addon = makeFakeAddon();
    const border = coded<NativeAddon>(addon);
    expect(border.createCancelFlag()).toBeInstanceOf(addon.createCancelFlag().constructor);
    expect(await faultOf(() => border.verifyWeights('x'))).toBe('E_INTERNAL');
    expect(await faultOf(() => border.createMetricEvaluator({} as never))).toBe('E_INTERNAL');
  });
});
