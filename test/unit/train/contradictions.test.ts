/** Options that would do nothing beside others are refused; what a caller changes later is not learned with. */
import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { CraneError } from '../../../src/errors.js';
import type { RunRecord } from '../../../src/runs/training-record.js';
import type { TrainerOptions } from '../../../src/train/trainer.js';
import { errorOf, fake, useWorkplace } from './workplace.js';

const work = useWorkplace();
const recordOf = async (out: string) =>
  JSON.parse(await readFile(work.at(out, 'run.json'), 'utf8')) as RunRecord;

it.each<[Partial<TrainerOptions>, string]>([
  [{ mosaicRate: 0.5 }, 'mosaicClasses are hazelnut, pill, zipper'],
  [{ mosaicRate: 0.5 }, 'and the data has tile'],
  [{ mosaicRate: 0.5, mosaicClasses: ['part'] }, 'mosaicClasses are part, and the data has tile'],
  [{ mosaicPool: 3 }, 'mosaicPool says which mosaics there are, and there is no mosaicRate'],
  [{ mosaicClasses: ['tile'] }, 'mosaicClasses says which mosaics there are'],
  [{ guidance: 'none', guidanceProbability: 0.5 }, 'and guidance is none'],
  [{ start: 'plain', contextRows: 5 }, 'contextRows is that of the prompts to begin with (start)'],
  [{ start: 'plain', deepTokens: 2 }, 'deepTokens is that of'],
  [{ start: 'plain', deepBlocks: 2 }, 'deepBlocks is that of'],
  [{ focalWeight: 0, diceWeight: 0, imageLossWeight: 0 }, 'focalWeight, diceWeight, imageLossWeight are 0'],
  [{ seed: 4294967295, seeds: 2 }, 'seed 4294967295 and seeds 2 go up to 4294967296'],
])('%j: %s', async (options, message) => {
  expect(await errorOf(work.trainer({ out: work.at('none'), ...options }))).toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining(message),
  });
});

it.each<[Partial<TrainerOptions>]>([
  [{ mosaicRate: 0.5, mosaicClasses: ['part', 'tile'] }],
  [{ mosaicRate: 0, mosaicPool: 3, mosaicClasses: ['tile'] }],
  [{ guidance: 'none' }],
  [{ focalWeight: 0, diceWeight: 0, imageLossWeight: 1 }],
  [{ seed: 4294967294, seeds: 2 }],
])('%j is no contradiction', async (options) => {
  expect(await work.trainer({ out: work.at('none'), ...options })).toBeDefined();
});

it('the record of a training that goes on from prompts has no sizes of new ones', async () => {
  const start = work.at('first.safetensors');
  await writeFile(start, JSON.stringify({ parameter: 0, metadata: {} }));
  await (await work.trainer({ out: work.at('going on'), epochs: 1, start })).run();
  const { options } = await recordOf('going on');
  expect(options).toMatchObject({ start, epochs: 1 });
  for (const name of ['contextRows', 'deepTokens', 'deepBlocks']) expect(options).not.toHaveProperty(name);
  await (await work.trainer({ out: work.at('new'), epochs: 1 })).run();
  expect((await recordOf('new')).options).toMatchObject({ contextRows: 12, deepTokens: 4 });
});

it('learns with what it was given, whatever becomes of the lists afterwards', async () => {
  const betas: [number, number] = [0.5, 0.9];
  const trainer = await work.trainer({ out: work.at('copied'), epochs: 1, betas });
  betas[0] = 5;
  await trainer.run();
  expect((await recordOf('copied')).options.betas).toEqual([0.5, 0.9]);
});

it('an error of native code is one of the library, of a run and of a plan', async () => {
  const checkStart = () => {
    throw Object.assign(new Error('deepTokens is 0'), { code: 'E_MODEL_CONFIG', hint: 'more' });
  };
  const trainer = () => work.trainer({ out: work.at('native') }, { addon: fake({ checkStart }) });
  for (const error of [await errorOf((await trainer()).run()), await errorOf((await trainer()).plan())]) {
    expect(error).toBeInstanceOf(CraneError);
    expect(error).toMatchObject({ code: 'E_MODEL_CONFIG', message: 'deepTokens is 0', hint: 'more' });
  }
});

it('run and plan know their options', async () => {
  const trainer = await work.trainer({ out: work.at('options') });
  expect(() => trainer.run({ onprogress: () => {} } as never)).toThrow(
    expect.objectContaining({ code: 'E_USAGE', hint: 'did you mean "onProgress"?' }),
  );
  for (const options of [null, { mesure: true }, { measure: 1 }, { onProgress: 5 }])
    expect(await errorOf(trainer.plan(options as never)), JSON.stringify(options)).toMatchObject({
      code: 'E_USAGE',
    });
  const own = new Error('mine');
  const failing = trainer.plan({
    onProgress: () => {
      throw own;
    },
  });
  expect(await errorOf(failing)).toBe(own);
});
