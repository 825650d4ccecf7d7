/** A test that is stopped or killed, and the folder that it leaves. */
import { rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { TestProgress } from '../../../src/evaluate/evaluate-data-sets.js';
import { TestFolder } from '../../../src/evaluate/test-folder.js';
import { readTestRun } from '../../../src/runs/read-run.js';
import { isScored } from '../../../src/runs/test-run.js';
import type { FakeBehaviour } from '../engine/fake-addon.js';
import { writePicture } from '../engine/toy-model.js';
import { leave } from '../files/left.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { writeMask, writeToySet } from '../train/toy-set.js';
import { errorOf, useWorkplace } from '../train/workplace.js';

import { bytesOf, evaluate as evaluateAt, type Given, scoredBy, stopAfter } from './evaluating.js';

const work = useWorkplace();
const evaluate = (given?: Given) => evaluateAt(work, given);

describe('an interrupted test', () => {
  /** More pictures than are in work at once. */
  const data = () => writeToySet(work.at('long'), { normal: 10, anomalous: 4 });

  it.each([0, 1, 4, 9])('goes on after %i pictures and gives the same bytes', async (count) => {
    const set = await data();
    const out = work.at(`interrupted-${count}`);
    const stop = count === 0 ? { signal: AbortSignal.abort() } : stopAfter(count);
    const error = await errorOf(evaluate({ data: set, out, ...stop }));
    expect(error.code).toBe('E_CANCELLED');
    const addon = makeTestAddon();
    await evaluate({ addon, data: set, out, resume: true });
    expect(scoredBy(addon)).toBeLessThanOrEqual(14 - count);
    await evaluate({ data: set, out: work.at(`straight-${count}`) });
    expect(await bytesOf(out)).toEqual(await bytesOf(work.at(`straight-${count}`)));
  });

  it('goes on against a bank of the foreground with all that it says of a picture', async () => {
    const set = await data();
    const normals = work.at('foreground.safetensors');
    const engine = await openEngine(makeTestAddon(), work.model);
    const bank = await engine.learnNormals([join(set, 'test', 'good_0.png')], { bankForeground: true });
    await bank.save(normals);
    await engine.dispose();
    const given = { data: set, normals };
    const out = work.at('foreground stopped');
    await errorOf(evaluate({ ...given, out, ...stopAfter(6) }));
    const run = await evaluate({ ...given, out, resume: true });
    const pictures = run.dataSets[0]!.classes[0]!.pictures.filter(isScored);
    expect(pictures.map(({ backgroundPatches }) => backgroundPatches)).toEqual(Array(14).fill(4));
    await evaluate({ ...given, out: work.at('foreground straight') });
    expect(await bytesOf(out)).toEqual(await bytesOf(work.at('foreground straight')));
  });

  it('goes on from what a killed process leaves: an unfinished line, a map that is not whole, no map', async () => {
    const set = await data();
    const out = work.at('killed');
    await errorOf(evaluate({ data: set, out, ...stopAfter(6) }));
    const journal = join(out, 'state', 'pictures.jsonl');
    const text = await readFile(journal, 'utf8');
    await writeFile(journal, `${text}{"set":0,"index":5,"sco`);
    await truncate(join(out, 'maps', 'long', '00001.npy'), 100);
    await rm(join(out, 'maps', 'long', '00002.npy'));
    const changed = join(out, 'maps', 'long', '00000.npy');
    const bytes = await readFile(changed);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(changed, bytes);
    await writeFile(join(out, 'maps', 'long', '.00003.npy.abc.tmp'), 'half');
    const left = ['run.json', 'report.html', 'state/pictures.jsonl', 'maps/long/00003.npy'];
    for (const name of left) await leave(join(out, name));
    const addon = makeTestAddon();
    await evaluate({ addon, data: set, out, resume: true });
    expect(scoredBy(addon)).toBeGreaterThan(2);
    expect(scoredBy(addon)).toBeLessThan(14);
    await evaluate({ data: set, out: work.at('unkilled') });
    expect(await bytesOf(out)).toEqual(await bytesOf(work.at('unkilled')));
  });

  it('does not score the pictures of finished classes again, whose maps are gone', async () => {
    const second = await writeToySet(work.at('second'), { className: 'rug', from: 60 });
    const out = work.at('classes');
    const data = [work.set, second];
    await errorOf(evaluate({ data, out, ...stopAfter(7) }));
    const addon = makeTestAddon();
    const seen: TestProgress[] = [];
    await evaluate({ addon, data, out, resume: true, onProgress: (event) => void seen.push(event) });
    expect(scoredBy(addon)).toBeLessThanOrEqual(5);
    expect(seen.at(-1)).toMatchObject({ stage: 'scoring', done: 12, total: 12 });
    expect((seen.at(-1) as { kept: number }).kept).toBeGreaterThanOrEqual(7);
  });

  it.each([
    '',
    '{"className":"ti',
    'null',
    '{}',
    '{"className":"tile"}',
    '{"className":"rug","pictures":[]}',
  ])('scores a class again whose file is damaged: %s', async (text) => {
    const second = await writeToySet(work.at('second'), { className: 'rug', from: 60 });
    const data = [work.set, second];
    const out = work.at('class file');
    await rm(out, { recursive: true, force: true });
    await errorOf(evaluate({ data, out, ...stopAfter(7) }));
    await writeFile(join(out, 'state', 'class-0-0.json'), text);
    const { dataSets } = await evaluate({ data, out, resume: true });
    expect(dataSets.map(({ classes }) => classes[0]!.pictures.filter(isScored).length)).toEqual([6, 6]);
  });

  it('scores a class again of which a digit was changed', async () => {
    const second = await writeToySet(work.at('second'), { className: 'rug', from: 60 });
    const data = [work.set, second];
    const out = work.at('class digit');
    await errorOf(evaluate({ data, out, ...stopAfter(7) }));
    const path = join(out, 'state', 'class-0-0.json');
    const text = await readFile(path, 'utf8');
    const changed = text.replace(/("score": ?0\.)(\d)/, (_all, before, digit) => `${before}${9 - digit}`);
    expect(changed).not.toBe(text);
    await writeFile(path, changed);
    await evaluate({ data, out, resume: true });
    await evaluate({ data, out: work.at('class digit straight') });
    expect(await bytesOf(out)).toEqual(await bytesOf(work.at('class digit straight')));
  });

  it('leaves a folder to a test that began in it while this one was prepared', async () => {
    const out = work.at('later');
    let first: Promise<unknown> | undefined;
    const onProgress = ({ stage }: TestProgress) => {
      if (stage === 'note') first ??= evaluate({ out });
    };
    const addon = makeTestAddon();
    const info = addon.info.bind(addon);
    addon.info = async () => {
      await first;
      return info();
    };
    expect(await errorOf(evaluate({ out, addon, onProgress }))).toMatchObject({ code: 'E_EXISTS' });
    expect((await readTestRun(out)).dataSets).toHaveLength(1);
    expect(scoredBy(addon)).toBe(0);
  });

  it('lets only one of two tests at once have a folder', async () => {
    const out = work.at('both');
    const both = await Promise.allSettled([evaluate({ out }), evaluate({ out })]);
    const refused = both.filter((one) => one.status === 'rejected');
    expect(refused).toMatchObject([
      { reason: { code: 'E_EXISTS', hint: expect.stringContaining('--resume') } },
    ]);
    await evaluate({ out: work.at('alone') });
    expect(await bytesOf(out)).toEqual(await bytesOf(work.at('alone')));
  });

  it('refuses a set given twice, once by a symbolic link', async () => {
    await symlink(work.set, work.at('linked'), 'junction');
    expect(await errorOf(evaluate({ data: [work.set, work.at('linked')] }))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('is given twice'),
    });
  });

  it('a finished test gone on with scores nothing and makes lost tables again', async () => {
    const out = work.at('finished');
    await evaluate({ out });
    const before = await bytesOf(out);
    await rm(join(out, 'results.tex'));
    const addon = makeTestAddon();
    await evaluate({ addon, out, resume: true });
    expect(scoredBy(addon)).toBe(0);
    expect(await bytesOf(out)).toEqual(before);
  });

  it.each([false, true])(
    'a mask that goes meanwhile is a fault of its picture alone, gone on with: %s',
    async (resume) => {
      const set = await writeToySet(work.at(`mask of ${resume}`), { normal: 2, anomalous: 12 });
      const out = work.at(`mask lost ${resume}`);
      if (resume) await errorOf(evaluate({ data: set, out, ...stopAfter(5) }));
      // Files are taken stock of before the first picture.
      const onProgress = ({ stage, ...event }: TestProgress) => {
        if (stage === 'scoring' && 'done' in event && event.done === 1)
          rmSync(join(set, 'masks', 'hole_2.png'));
      };
      const run = await evaluate({ data: set, out, resume, onProgress });
      const [{ failed, pictures }] = run.dataSets[0]!.classes as [(typeof run.dataSets)[0]['classes'][0]];
      expect(failed).toBe(1);
      expect(pictures.filter((picture) => 'error' in picture)).toMatchObject([
        { path: 'test/hole_2.png', error: { code: 'E_INPUT_NOT_FOUND' } },
      ]);
    },
  );

  it('scores pictures that failed again', async () => {
    const behaviour: FakeBehaviour = {
      check: ({ picture }) => {
        if (picture.data[0] === 19) throw Object.assign(new Error('dark'), { code: 'E_IMAGE_DECODE' });
      },
    };
    const out = work.at('retried');
    const set = await data();
    await errorOf(evaluate({ addon: makeTestAddon(behaviour), data: set, out, ...stopAfter(4) }));
    const run = await evaluate({ data: set, out, resume: true });
    expect(run.dataSets[0]!.classes[0]!.failed).toBe(0);
  });

  it.each<[string, Given, string]>([
    ['the method', { sigma: 2 }, 'settings.method.sigma is 2, was 4'],
    ['the prompts', { prompts: 'other' }, 'settings.prompts.name is "other", was "plain"'],
    ['the limits', { limits: [0.1] }, 'settings.limits is [0.1], was [0.05,0.3]'],
    ['the draws', { bootstrap: 60 }, 'settings.bootstrap.resamples is 60, was 50'],
  ])('refuses to go on when %s differs, and says what', async (what, change, text) => {
    const out = work.at(`other ${what}`);
    await errorOf(evaluate({ out, ...stopAfter(2) }));
    const error = await errorOf(evaluate({ out, resume: true, ...change }));
    expect(error.code).toBe('E_TEST_RESUME');
    expect(error.message).toContain(text);
  });

  it.each([
    ['a picture', (set: string) => writePicture(join(set, 'test', 'good_0.png'), 200)],
    ['a mask', (set: string) => writeMask(join(set, 'masks', 'hole_3.png'), 16, 12)],
  ])('refuses to go on when %s was changed', async (what, change) => {
    const set = await writeToySet(work.at(`set of ${what}`));
    const out = work.at(`changed ${what}`);
    await errorOf(evaluate({ data: set, out, ...stopAfter(2) }));
    await change(set);
    const error = await errorOf(evaluate({ data: set, out, resume: true }));
    expect(error).toMatchObject({ code: 'E_TEST_RESUME' });
    expect(error.message).toContain('data is');
  });

  it('refuses to go on with other weights', async () => {
    const out = work.at('weights');
    await errorOf(evaluate({ out, ...stopAfter(2) }));
    const weights = work.at('model', 'weights.safetensors');
    await writeFile(weights, 'weighty');
    try {
      const error = await errorOf(evaluate({ out, resume: true }));
      expect(error).toMatchObject({ code: 'E_TEST_RESUME' });
      expect(error.message).toContain('weights is');
    } finally {
      await writeFile(weights, 'weights');
    }
  });
});

describe('the folder of a test', () => {
  it('loses the maps that nobody names, and no file of anybody else', async () => {
    const folder = new TestFolder(work.at('maps'));
    const maps = work.at('maps', 'maps', 'set');
    await mkdir(maps, { recursive: true });
    const named = '00001.npy';
    const others = ['mine.npy', 'notes.tmp', '1.npy'];
    const left = ['00002.npy', '123456.npy', '.00003.npy.abc.tmp'];
    for (const name of [named, ...others, ...left]) await writeFile(join(maps, name), '');
    await leave(join(maps, '00004.npy'));
    await folder.removeMapsBut('set', new Set([`maps/set/${named}`]));
    expect((await readdir(maps)).sort()).toEqual([named, ...others].sort());
  });

  it('is not written over without --force, and with it begins anew', async () => {
    const out = work.at('taken');
    await evaluate({ out, keepMaps: true });
    expect(await errorOf(evaluate({ out }))).toMatchObject({ code: 'E_EXISTS' });
    const addon = makeTestAddon();
    await evaluate({ addon, out, force: true, sigma: 2 });
    expect(scoredBy(addon)).toBe(6);
    expect((await readTestRun(out)).settings.method.sigma).toBe(2);
  });

  it("is not taken from a training, nor are a user's own files of its names", async () => {
    await mkdir(work.at('training'));
    await writeFile(work.at('training', 'run.json'), '{"format":1,"status":"complete"}');
    const error = await errorOf(evaluate({ out: work.at('training'), force: true }));
    expect(error).toMatchObject({ code: 'E_EXISTS' });
    await mkdir(work.at('own'));
    await writeFile(work.at('own', 'results.csv'), 'mine');
    expect(await errorOf(evaluate({ out: work.at('own'), resume: true }))).toMatchObject({
      code: 'E_EXISTS',
    });
    expect(await readFile(work.at('own', 'results.csv'), 'utf8')).toBe('mine');
  });
});
