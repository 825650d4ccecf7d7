/** How maps are enlarged in the loss, and how often steps are guided: what a step and a record get of these options. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrainItem } from '../../../src/addon/training.js';
import { crane } from '../../../src/methods/crane.js';
import type { RunRecord } from '../../../src/runs/training-record.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { errorOf, useWorkplace } from './workplace.js';

const work = useWorkplace();

describe('bilinear upsampling', () => {
  it('hands over the mask of every picture, of the size of the input, and no counts', async () => {
    const items: TrainItem[] = [];
    const addon = makeFakeAddon({ training: { onStep: (of) => void items.push(...of) } });
    const out = work.at('bilinear');
    const trainer = await work.trainer({ out, epochs: 1, upsampling: 'bilinear' }, { addon });
    await trainer.run();
    expect(items).toHaveLength(6);
    const { width, height } = work.model.input;
    for (const { mask, cells, isAnomalous } of items) {
      expect(cells).toBeUndefined();
      expect(mask).toHaveLength(width * height);
      if (!isAnomalous) expect(Math.max(...mask!)).toBe(0);
    }
    const record = JSON.parse(await readFile(join(out, 'run.json'), 'utf8')) as RunRecord;
    expect(record.made.training).toMatchObject({ upsampling: 'bilinear' });
  });

  it('nearest reads no mask again, and its record has no word of it: older trainings are gone on with', async () => {
    const items: TrainItem[] = [];
    const addon = makeFakeAddon({ training: { onStep: (of) => void items.push(...of) } });
    const out = work.at('nearest');
    await (await work.trainer({ out, epochs: 1 }, { addon })).run();
    for (const item of items) expect(item).not.toHaveProperty('mask');
    const record = JSON.parse(await readFile(join(out, 'run.json'), 'utf8')) as RunRecord;
    for (const name of ['upsampling', 'guidanceProbability', 'guidanceSeed'])
      expect(record.made.training).not.toHaveProperty(name);
  });

  it('is measured with masks too', async () => {
    const items: TrainItem[] = [];
    const addon = makeFakeAddon({ training: { onStep: (of) => void items.push(...of) } });
    const trainer = await work.trainer({ out: work.at('measured'), upsampling: 'bilinear' }, { addon });
    expect((await trainer.plan({ measure: true })).seconds?.step).toBeGreaterThan(0);
    expect(items.length).toBeGreaterThan(0);
    for (const { mask, cells } of items) {
      expect(cells).toBeUndefined();
      expect(mask).toHaveLength(work.model.input.width * work.model.input.height);
    }
  });

  it('is no other run to go on with', async () => {
    const out = work.at('other');
    await (await work.trainer({ out, epochs: 1 })).run();
    const other = await work.trainer({ out, epochs: 1, resume: true, upsampling: 'bilinear' });
    expect(await errorOf(other.run())).toMatchObject({ code: 'E_TRAIN_RESUME' });
  });
});

describe('the probability of guidance', () => {
  const settings = { ...crane.training.defaults, guidanceProbability: 0.5 };

  it('goes to the learner with the seed of the run', () => {
    const method = { ...crane.defaults, compat: { halfDeepTokens: true } } as never;
    expect(crane.training.learner(method, settings, 113)).toMatchObject({
      guidanceProbability: 0.5,
      guidanceSeed: 113,
    });
  });

  it('is from 0 to 1', async () => {
    expect(await errorOf(work.trainer({ out: work.at('x'), guidanceProbability: 1.5 }))).toMatchObject({
      code: 'E_USAGE',
    });
  });
});
