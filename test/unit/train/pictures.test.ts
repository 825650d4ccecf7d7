import { createHash } from 'node:crypto';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type MosaicPlan, MosaicPool, planMosaics } from '../../../src/data/mosaic-plan.js';
import { measurePicture } from '../../../src/images/read-samples.js';
import type { ChosenItem } from '../../../src/train/choose-pictures.js';
import { epochOrders } from '../../../src/train/epoch-orders.js';
import { identifyMosaic, type ReadingWork } from '../../../src/train/learning-pictures.js';
import { fakeCellsOf } from '../engine/fake-training.js';
import { booleanTiff } from '../images/make-tiff.js';
import { writeMask, writeToySet } from './toy-set.js';
import { errorOf, fake, useWorkplace } from './workplace.js';

const work = useWorkplace();

describe('what a training refuses', () => {
  it.each([
    ['only normal pictures', { anomalous: 0 }, 'all 3 pictures are normal', 'add a data set with defects'],
    ['only anomalous pictures', { normal: 0 }, 'all 3 pictures are anomalous', '--allow-one-class'],
  ])('%s', async (name, set, message, hint) => {
    const data = await writeToySet(work.at(name), set);
    expect(await errorOf(work.trainer({ out: work.at('one'), data }))).toMatchObject({
      code: 'E_DATA_ONE_CLASS',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  });

  it('pictures that are all one, whatever they are called', async () => {
    const data = await writeToySet(work.at('one content'));
    for (const at of [1, 2, 3, 4, 5])
      await copyFile(
        join(data, 'test', 'good_0.png'),
        join(data, 'test', `${at < 3 ? 'good' : 'hole'}_${at}.png`),
      );
    const trainer = await work.trainer({ out: work.at('one content out'), data });
    expect(await errorOf(trainer.run())).toMatchObject({
      code: 'E_DATA_EQUAL',
      message: expect.stringMatching(
        /^all 6 pictures have the same content, for instance .*good_0\.png and .*good_1\.png/,
      ),
    });
  });

  it('not two that are one, but tells of them where one is normal and one is not', async () => {
    const data = await writeToySet(work.at('both labels'));
    await copyFile(join(data, 'test', 'good_0.png'), join(data, 'test', 'hole_3.png'));
    const told: string[] = [];
    const trainer = await work.trainer({ out: work.at('both out'), data, epochs: 1 });
    await trainer.run({
      onProgress: (event) => void (event.stage === 'note' && told.push(event.text)),
    });
    const both = 'two pictures have one content and different labels, for instance';
    expect(told).toContainEqual(
      expect.stringMatching(
        new RegExp(`^${both} .*good_0.png \\(normal\\) and .*hole_3.png \\(anomalous\\)`),
      ),
    );
  });

  it('learns from anomalous pictures alone where that is wanted', async () => {
    const data = await writeToySet(work.at('isic'), { normal: 0, from: 50 });
    await (await work.trainer({ out: work.at('isic out'), data, allowOneClass: true, epochs: 1 })).run();
  });

  it('a set without pictures, the same set twice, a set that is not there', async () => {
    const data = await writeToySet(work.at('empty'), { normal: 0, anomalous: 0 });
    expect(await errorOf(work.trainer({ out: work.at('no'), data }))).toMatchObject({ code: 'E_DATA_EMPTY' });
    const twice = { out: work.at('no'), data: [work.set, work.at('set', 'meta.json')] };
    expect(await errorOf(work.trainer(twice))).toMatchObject({
      message: expect.stringContaining('is given twice'),
    });
    const nowhere = { out: work.at('no'), data: work.at('nowhere') };
    expect(await errorOf(work.trainer(nowhere))).toMatchObject({ code: 'E_DATA_NOT_FOUND' });
  });

  it('the same set twice, once by a symbolic link', async () => {
    await symlink(work.set, work.at('linked'), 'junction');
    const twice = { out: work.at('no'), data: [work.set, work.at('linked')] };
    expect(await errorOf(work.trainer(twice))).toMatchObject({
      code: 'E_USAGE',
      message: `${work.at('linked')}: is given twice, as ${work.set} too`,
    });
  });

  it('a mask of the wrong size, naming it and its picture', async () => {
    const data = await writeToySet(work.at('wrong mask'), { maskSize: [30, 24] });
    const trainer = await work.trainer({ out: work.at('wrong mask out'), data });
    const error = await errorOf(trainer.run());
    expect(error.code).toBe('E_DATA_MASK_SIZE');
    for (const part of [join('masks', 'hole_3.png'), join('test', 'hole_3.png'), '30 x 24', '32 x 24'])
      expect(error.message).toContain(part);
  });

  it('labels alone when the image loss has no weight', async () => {
    const data = await writeToySet(work.at('labels'), { masks: 0 });
    const error = await errorOf(work.trainer({ out: work.at('no'), data, imageLossWeight: 0 }));
    expect(error).toMatchObject({ code: 'E_USAGE', hint: expect.stringContaining('--image-loss-weight') });
  });

  it('a damaged picture, by name', async () => {
    const data = await writeToySet(work.at('damaged'), { from: 77 });
    await writeFile(join(data, 'test', 'good_0.png'), 'no picture');
    const error = await errorOf((await work.trainer({ out: work.at('damaged out'), data })).run());
    expect(error).toMatchObject({ code: 'E_IMAGE_DECODE', message: expect.stringContaining('good_0.png') });
  });
});

describe('masks', () => {
  const knownPixels = async (name: string, set: Parameters<typeof writeToySet>[1]) => {
    const data = await writeToySet(work.at(name), set);
    const seen: boolean[] = [];
    const notes: string[] = [];
    const addon = fake({
      onStep: (items) => void seen.push(...items.map(({ cells }) => cells !== undefined)),
    });
    await (await work.trainer({ out: work.at(`${name} out`), data, epochs: 1 }, { addon })).run({
      onProgress: (event) => void (event.stage === 'note' && notes.push(event.text)),
    });
    return { known: seen.filter(Boolean).length, notes };
  };

  it('missing for some: those teach the image loss only, and it is said once for the class', async () => {
    const { known, notes } = await knownPixels('some', { masks: 1 });
    expect(known).toBe(4);
    expect(notes).toContain(
      'some/tile: 2 anomalous and 0 normal pictures without masks teach the image loss only',
    );
  });

  it('missing for a whole class: its normal pictures do not teach pixels either', async () => {
    const { known, notes } = await knownPixels('none', { masks: 0 });
    expect(known).toBe(0);
    expect(notes).toContain(
      'none/tile: 3 anomalous and 3 normal pictures without masks teach the image loss only',
    );
  });

  it('that are empty are told', async () => {
    const data = await writeToySet(work.at('blank'), { from: 33 });
    await sharp(new Uint8Array(32 * 24), { raw: { width: 32, height: 24, channels: 1 } })
      .png()
      .toFile(join(data, 'masks', 'hole_4.png'));
    const notes: string[] = [];
    await (await work.trainer({ out: work.at('blank out'), data, epochs: 1 })).run({
      onProgress: (event) => void (event.stage === 'note' && notes.push(event.text)),
    });
    expect(notes).toContain(
      'masks of anomalous pictures that are empty: 1, for instance that of blank/test/hole_4.png',
    );
  });

  it('that were read otherwise than by their tags are told where they are opened', async () => {
    const data = await writeToySet(work.at('booleans'), { from: 55 });
    const isMarked = (x: number) => x < 16;
    await writeFile(join(data, 'masks', 'hole_4.png'), booleanTiff(32, 24, isMarked));
    const notes: string[] = [];
    await (await work.trainer({ out: work.at('booleans out'), data, epochs: 1 })).run({
      onProgress: (event) => void (event.stage === 'note' && notes.push(event.text)),
    });
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^1 picture, for instance booleans\/test\/hole_4.png: .*boolean array of tifffile/,
      ),
    );
  });

  it('turn with their picture', async () => {
    const data = await writeToySet(work.at('turned'), { normal: 1, anomalous: 1, from: 140 });
    const path = join(data, 'test', 'hole_1.png');
    const upright = await sharp(path).toBuffer();
    await sharp(upright).withMetadata({ orientation: 6 }).jpeg().toFile(`${path}.jpg`);
    await import('node:fs/promises').then(({ rename }) => rename(`${path}.jpg`, path));
    const cells: number[][] = [];
    const addon = fake({
      onStep: async (items) => {
        for (const item of items) cells.push((await fakeCellsOf(item))!);
      },
    });
    await (await work.trainer({ out: work.at('turned out'), data, epochs: 1 }, { addon })).run();
    // The white top left quarter of the stored picture is the top right one after a quarter turn to the right.
    expect(cells.find((of) => of.some((count) => count > 0))).toEqual([0, 192, 0, 0]);
    expect(await measurePicture(path, true)).toEqual({ width: 24, height: 32 });
    expect(await measurePicture(path, false)).toEqual({ width: 32, height: 24 });
    await writeMask(join(data, 'masks', 'hole_1.png'), 24, 32);
    await (await work.trainer({ out: work.at('turned out 2'), data, epochs: 1 })).run();
  });
});

describe('choosing pictures', () => {
  it('leaves out what is named, and refuses a name that no set has', async () => {
    const left = [join(work.set, 'test', 'good_0.png')];
    await writeFile(work.at('list.txt'), 'set/test/hole_3.png\n\n');
    const trainer = await work.trainer({
      out: work.at('left'),
      leaveOut: [...left, `@${work.at('list.txt')}`],
    });
    expect(await trainer.plan()).toMatchObject({
      pictures: 4,
      sets: [{ normal: 2, anomalous: 2 }],
      notes: ['2 pictures are left out'],
    });
    const strange = work.trainer({ out: work.at('left'), leaveOut: [work.at('strange.png')] });
    expect(await errorOf(strange)).toMatchObject({ code: 'E_USAGE' });
  });

  it('leaves out the pictures that a folder elsewhere holds copies of', async () => {
    const copies = work.at('copies');
    await mkdir(copies);
    await copyFile(join(work.set, 'test', 'hole_3.png'), join(copies, 'other name.png'));
    const trainer = await work.trainer({ out: work.at('left'), leaveOut: [copies] });
    expect(await trainer.plan()).toMatchObject({
      pictures: 5,
      sets: [{ normal: 3, anomalous: 2 }],
      notes: ['1 picture is left out'],
    });
  });

  it('takes a portion or k shots of each class', async () => {
    const portion = await work.trainer({ out: work.at('p'), portion: 0.34 });
    expect(await portion.plan()).toMatchObject({ pictures: 2 });
    const shots = await work.trainer({ out: work.at('k'), kShot: 4 });
    expect(await shots.plan()).toMatchObject({ pictures: 4, sets: [{ normal: 2, anomalous: 2 }] });
  });

  it('plans without writing anything, with time when it is measured', async () => {
    const trainer = await work.trainer({
      out: work.at('planned'),
      cache: work.at('planned cache'),
      seeds: 2,
    });
    const plan = await trainer.plan({ measure: true });
    expect(plan).toMatchObject({ runs: 2, epochs: 5, stepsPerEpoch: 3, features: { found: 0, missing: 6 } });
    expect(plan.features.bytesMissing).toBe(6 * plan.features.bytesEach);
    expect(plan.seconds!.total).toBeCloseTo(6 * plan.seconds!.picture + 2 * 5 * 3 * plan.seconds!.step, 9);
    for (const name of ['planned', 'planned cache'])
      await expect(import('node:fs/promises').then(({ stat }) => stat(work.at(name)))).rejects.toThrow();
  });
});

describe('orders', () => {
  const items = Array.from({ length: 8 }, (_, at) => ({
    className: at < 4 ? 'a' : 'b',
    isAnomalous: at % 2 === 0,
  }));
  const choice = (kind: 'seeded' | 'reference', rate = 0) => {
    const mosaics = planMosaics(items as never, { rate, seed: 1, classes: ['a'], poolSize: 5 });
    return {
      kind,
      seed: 7,
      pictures: 8,
      classOf: (at: number) => items[at]!.className,
      mosaics,
      pool: new MosaicPool(mosaics, rate),
    };
  };

  it('are permutations that follow from the seed, another one in each epoch', async () => {
    const [one, two] = [epochOrders(fake(), choice('seeded')), epochOrders(fake(), choice('seeded'))];
    const first = await one.next(0);
    expect([...first].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await two.next(0)).toEqual(first);
    expect(await one.next(1)).not.toEqual(first);
  });

  it('go on from the saved generator', async () => {
    const whole = epochOrders(fake(), choice('seeded', 0.5));
    await whole.next(0);
    const resumed = epochOrders(fake(), choice('seeded', 0.5), whole.generator);
    expect(await resumed.next(1)).toEqual(await whole.next(1));
  });

  it("are libtorch's where that is wanted", async () => {
    const addon = fake();
    const orders = epochOrders(addon, choice('reference'));
    expect(await orders.next(3)).toEqual(await addon.referenceOrder(7, 8, 3));
  });

  it('put mosaics in place of pictures of their classes only', async () => {
    const orders = epochOrders(fake(), choice('seeded', 1));
    const order = await orders.next(0);
    expect([...order].filter((at) => at < 8).sort()).toEqual([4, 5, 6, 7]);
    expect(Math.max(...order)).toBeLessThan(8 + 5);
  });
});

it('mosaics are learned from, cached under the content of their tiles', async () => {
  const data = await writeToySet(work.at('mosaic set'), {
    normal: 4,
    anomalous: 4,
    className: 'screw',
    from: 60,
  });
  const options = { data, mosaicRate: 0.9, mosaicPool: 3, epochs: 2, cache: work.at('mosaic cache') };
  const addon = fake();
  await (await work.trainer({ out: work.at('mosaics'), ...options }, { addon })).run();
  expect(addon.log.features.length).toBeGreaterThan(8);
  const again = fake();
  await (await work.trainer({ out: work.at('mosaics again'), ...options }, { addon: again })).run();
  expect(again.log.features).toEqual([]);
  expect(await work.bytesOf(work.at('mosaics again'))).toEqual(await work.bytesOf(work.at('mosaics')));
});

it("counts of a mosaic are named by the mask values of each of its tiles' sets", async () => {
  const data = await writeToySet(work.at('valued tiles'), { normal: 0, anomalous: 4 });
  const plan: MosaicPlan = { className: 'part', isAnomalous: true, tiles: [0, 1, 2, 3] };
  const reading = { exif: true, maskGrey: false } as ReadingWork['reading'];
  const sizes = { input: { width: 8, height: 8 }, grid: { width: 2, height: 2 } };
  const how: ReadingWork = { addon: fake(), reading, maxPixels: 1e6, ...sizes };
  const named = (...values: (number | undefined)[]) => {
    const items = values.map((value, at): ChosenItem => {
      const image = join(data, 'test', `hole_${at}.png`);
      const maskValues = value === undefined ? {} : { maskValues: [{ text: `${value}`, number: value }] };
      const of = { set: 'toy', className: 'part', isAnomalous: true, imagePath: `${at}` };
      return { ...of, image, masks: [image], ...maskValues } as unknown as ChosenItem;
    });
    return identifyMosaic(plan, items, how);
  };
  const { mask, content } = await named(1, 1, 1, 1);
  // As caches of 0.1.0 name them.
  const asBefore = createHash('sha256').update(`crane-cells 2\n${content} values 1\n`).digest('hex');
  expect(mask).toBe(asBefore.slice(0, 32));
  const others = [
    [1, 2, 1, 1],
    [1, 1, 2, 1],
    [1, 1, 1, 2],
    [1, 1, 1, undefined],
    [2, 1, 1, 1],
    [2, 2, 2, 2],
    [undefined, undefined, undefined, undefined],
  ];
  const names = await Promise.all(others.map(async (each) => (await named(...each)).mask));
  expect(new Set([mask, ...names]).size).toBe(others.length + 1);
});

describe('two sets of one name', () => {
  it('are counted and sampled apart', async () => {
    const data = [
      await writeToySet(work.at('x', 'mine'), { from: 20 }),
      await writeToySet(work.at('y', 'mine'), { from: 120, normal: 2 }),
    ];
    const plan = await (await work.trainer({ out: work.at('no'), data })).plan();
    const counts = plan.sets.map(({ normal, anomalous }) => [normal, anomalous]);
    expect(counts).toEqual([
      [3, 3],
      [2, 3],
    ]);
    const few = await (await work.trainer({ out: work.at('no'), data, kShot: 2 })).plan();
    expect(few.sets.map(({ normal, anomalous }) => [normal, anomalous])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});
