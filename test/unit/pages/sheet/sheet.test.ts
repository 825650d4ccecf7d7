/** `data check --sheet`: a page of pictures with their masks and findings. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finding } from '../../../../src/data/check/finding.js';
import type { DataItem } from '../../../../src/data/data-set.js';
import { readingOf } from '../../../../src/images/reading.js';
import { chooseForSheet } from '../../../../src/pages/sheet/choose.js';
import { thumbnailOf } from '../../../../src/pages/sheet/thumbnail.js';
import { runInProcess } from '../../cli/run-in-process.js';
import { greyPng, makeRoot, makeTree } from '../../data/tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const item = (name: string, more: Partial<DataItem> = {}): DataItem => ({
  image: join(root, name),
  imagePath: name,
  mask: null,
  maskPath: null,
  masks: [],
  maskPaths: [],
  className: 'cap',
  kind: 'good',
  isAnomalous: false,
  ...more,
});

describe('the choice of pictures', () => {
  const many = (count: number, more: Partial<DataItem> = {}) =>
    Array.from({ length: count }, (_, at) => item(`${more.kind ?? 'good'}/${at}.png`, more));

  it('takes those with findings first, then evenly of each kind, and counts all', () => {
    const sets = [
      { split: 'test' as const, items: [...many(1000), ...many(5, { kind: 'hole', isAnomalous: true })] },
      { split: 'train' as const, items: many(3) },
    ];
    const odd = [
      finding('odd-picture', ['good/7.png']),
      finding('same-picture', ['good/7.png', 'good/990.png']),
    ];
    const groups = chooseForSheet([sets[0]!], odd, { withFindings: 5, others: 10, total: 100 });
    expect(
      groups.map(({ kind, count, withFindings, shown }) => [kind, count, withFindings, shown.length]),
    ).toEqual([
      ['hole', 5, 0, 5],
      ['good', 1000, 2, 12],
    ]);
    const good = groups[1]!.shown.map(({ item: { imagePath } }) => imagePath);
    expect(good).toEqual(expect.arrayContaining(['good/7.png', 'good/990.png', 'good/0.png']));
    expect(good.filter((path) => Number(path.slice(5, -4)) > 500)).toHaveLength(5);
    expect(
      groups[1]!.shown.find(({ item: { imagePath } }) => imagePath === 'good/7.png')!.findings,
    ).toHaveLength(2);
    expect(
      chooseForSheet(sets, [], { withFindings: 5, others: 10, total: 100 }).map(({ split }) => split),
    ).toEqual(['test', 'test', 'train']);
  });

  it('stays within the whole, however many kinds there are', () => {
    const items = Array.from({ length: 3000 }, (_, at) => item(`${at}.png`, { className: `c${at % 300}` }));
    const count = (total: number) =>
      chooseForSheet([{ split: 'test', items }], [], { withFindings: 5, others: 10, total }).reduce(
        (sum, { shown }) => sum + shown.length,
        0,
      );
    expect([count(600), count(100)]).toEqual([600, 100]);
  });
});

describe('a thumbnail', () => {
  const options = { maxPixels: 1e7, reading: readingOf(), reserve: async () => {} };

  it('is small, and shows a mask of one pixel of a large picture', async () => {
    await makeTree(root, {
      'a.png': await greyPng(60, 3000, 1000),
      'm.png': await greyPng(0, 3000, 1000, { value: 1, pixels: 1 }),
    });
    const shown = await thumbnailOf(
      item('a.png', { isAnomalous: true, masks: [join(root, 'm.png')] }),
      options,
    );
    if (!('picture' in shown)) throw shown;
    expect(shown).toMatchObject({ width: 200, height: 67, marked: 1 / 3e6 });
    expect(await sharp(shown.picture).metadata()).toMatchObject({ format: 'jpeg', width: 200, height: 67 });
    const marks = await sharp(shown.marks!).ensureAlpha().raw().toBuffer();
    expect(marks[3]).toBeGreaterThan(0);
    expect(marks.filter((value, at) => at % 4 === 3 && value > 0)).toHaveLength(9);
  });

  it('of a damaged picture is its error; a mask that does not fit is left out', async () => {
    await makeTree(root, { 'a.png': 'nothing', 'b.png': await greyPng(60), 'm.png': await greyPng(0, 8, 8) });
    expect(await thumbnailOf(item('a.png'), options)).toMatchObject({
      code: expect.stringMatching(/^E_IMAGE/),
    });
    const masks = [join(root, 'm.png')];
    expect(await thumbnailOf(item('b.png', { masks }), options)).toMatchObject({ marks: null, marked: null });
  });
});

describe('data check --sheet', () => {
  const name = 'test/cap/good/<b>&"0.png';
  const makeSet = async () =>
    makeTree(root, {
      [name]: await greyPng(10),
      'test/cap/hole/1.png': await greyPng(20),
      'test/cap/hole/2.png': await greyPng(21),
      'test/cap/hole/3.png': 'no picture',
      'test/cap/masks/1_mask.png': await greyPng(0, 16, 12, { value: 1, pixels: 5 }),
      'test/cap/masks/2_mask.png': await greyPng(0, 16, 12, { value: 1, pixels: 190 }),
    });

  it('writes one page that needs nothing else, with findings beside their pictures', async () => {
    await makeSet();
    const file = join(root, 'out.html');
    const run = await runInProcess(['data', 'check', root, '--sheet', file]);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain(`all 4 pictures with their masks: ${file}`);
    const page = await readFile(file, 'utf8');
    expect(page.match(/<img src="data:image\/jpeg/g)).toHaveLength(3);
    expect(page.match(/class="outline" src="data:image\/png/g)).toHaveLength(2);
    expect(page).not.toMatch(/<script|<b>|https?:|src="(?!data:)/);
    expect(page).toContain('&lt;b&gt;&amp;&quot;0.png');
    expect(page).toContain('<strong>All 4 pictures</strong>');
    const cards = page.split('<li ').slice(1);
    expect(cards[0]).toContain('2.6 % marked');
    expect(cards[1]).toMatch(/^class="odd".*masks that mark nearly all/s);
    expect(cards[2]).toMatch(/^class="fault".*cannot be read.*E_IMAGE_/s);
    expect(cards[3]).toMatch(/^class=""/);
  });

  it('overwrites only when told, before anything is looked at', async () => {
    await makeSet();
    const file = join(root, 'out.html');
    await writeFile(file, 'mine');
    const refused = await runInProcess(['data', 'check', root, '--sheet', file]);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(await readFile(file, 'utf8')).toBe('mine');
    await runInProcess(['data', 'check', root, '--sheet', file, '--force']);
    expect(await readFile(file, 'utf8')).toContain('<!doctype html>');
  });
});
