/** Label maps of which only some values are defects: --mask-values and --mask-labels. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { labelMask, maskOfPicture } from '../../../src/data/label-mask.js';
import { readMaskLabels } from '../../../src/data/mask-labels.js';
import { chosenMaskValues, identityOfValues } from '../../../src/data/mask-values.js';
import { openDataSet } from '../../../src/data/open-data-set.js';
import { ByteBudget } from '../../../src/images/byte-budget.js';
import { codeOf } from '../awaiting.js';
import { runInProcess } from '../cli/run-in-process.js';
import { palettePng } from './palette-png.js';
import { greyPng, makeRoot, makeTree, metaOf } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Pictures below 8 x 8 are refused: what is given stands at the upper left of such a one. */
const k_side = 8;
const padded = (samples: Buffer, channels: number) =>
  Buffer.concat([samples, Buffer.alloc(k_side * k_side * channels - samples.length)]);
const grey = (values: readonly number[]) =>
  sharp(padded(Buffer.from(values), 1), { raw: { width: k_side, height: k_side, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
const coloured = (hex: string, channels: 3 | 4 = 3) =>
  sharp(padded(Buffer.from(hex, 'hex'), channels), { raw: { width: k_side, height: k_side, channels } })
    .png()
    .toBuffer();
const indexed = (colours: readonly string[], indices: readonly number[]) =>
  palettePng(colours, [...padded(Buffer.from(indices), 1)], k_side);
const marked = async (bytes: Uint8Array, maskValues: string[], maskLabels?: string) => {
  await writeFile(join(root, 'm.png'), bytes);
  const values = await chosenMaskValues({ maskValues, ...(maskLabels ? { maskLabels } : {}) });
  const { data, mode } = await labelMask(join(root, 'm.png'), {}, values);
  expect(mode).toBe('L');
  return [...data.subarray(0, 4)].map((value) => (value > 0 ? 1 : 0));
};
const k_palette = ['#000000', '#ff0000', '#00ff00', '#0000ff'];

describe('values of a label map', () => {
  it('are greys, of more than 8 bits too, and 0 where that is named', async () => {
    expect(await marked(await grey([0, 1, 2, 3]), ['1', '3'])).toEqual([0, 1, 0, 1]);
    expect(await marked(await grey([0, 1, 2, 3]), ['0'])).toEqual([1, 0, 0, 0]);
    const wide = await sharp(
      Uint16Array.from({ length: 64 }, (_, at) => [0, 300, 256, 65535][at] ?? 0),
      {
        raw: { width: 8, height: 8, channels: 1 },
      },
    )
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect(await marked(wide, ['300', '65535'])).toEqual([0, 1, 0, 1]);
  });

  it('are numbers of a palette, not the colours that it shows them in', async () => {
    const png = indexed(k_palette, [0, 1, 2, 3]);
    expect(await marked(png, ['2'])).toEqual([0, 0, 1, 0]);
    expect(await marked(png, ['#0000ff', '1'])).toEqual([0, 1, 0, 1]);
    expect(await marked(indexed(['#ffffff', '#000000'], [0, 1, 1, 0]), ['1'])).toEqual([0, 1, 1, 0]);
    const twins = indexed(['#000000', '#ff0000', '#ff0000'], [0, 1, 2, 0]);
    expect(await codeOf(marked(twins, ['1']))).toBe('E_DATA_MASK_VALUES');
    expect(await marked(twins, ['1', '2'])).toEqual([0, 1, 1, 0]);
    expect(await marked(twins, ['#ff0000'])).toEqual([0, 1, 1, 0]);
  });

  it('are colours; a number says nothing in a picture of colours, but a grey one saved in colours has numbers', async () => {
    const png = await coloured('000000ff000000ff00ff0001');
    expect(await marked(png, ['#FF0000'])).toEqual([0, 1, 0, 0]);
    expect(await codeOf(marked(png, ['1']))).toBe('E_DATA_MASK_VALUES');
    expect(await marked(await coloured('000000010101020202000000'), ['2'])).toEqual([0, 0, 1, 0]);
    const cutOut = await coloured('ff000000ff0000ff00ff00ff000000ff', 4);
    expect(await marked(cutOut, ['#ff0000'])).toEqual([0, 1, 0, 0]);
  });

  it('of a file that loses values are refused, and beside compat.maskGrey too', async () => {
    await writeFile(
      join(root, 'm.jpg'),
      await sharp(await greyPng(0, 16, 12))
        .jpeg()
        .toBuffer(),
    );
    const values = [{ text: '1', number: 1 }];
    expect(await codeOf(labelMask(join(root, 'm.jpg'), {}, values))).toBe('E_DATA_MASK_VALUES');
    await writeFile(join(root, 'm.png'), await grey([0, 1, 2, 3]));
    expect(await codeOf(labelMask(join(root, 'm.png'), { maskGrey: true }, values))).toBe('E_USAGE');
  });

  it('count in every mask of a picture', async () => {
    await writeFile(join(root, 'a.png'), await grey([0, 1, 2, 0]));
    await writeFile(join(root, 'b.png'), await grey([2, 0, 0, 1]));
    const masks = [join(root, 'a.png'), join(root, 'b.png')];
    const picture = { path: masks[0]!, width: 8, height: 8 };
    const united = await maskOfPicture({ masks, maskValues: [{ text: '1', number: 1 }] }, picture);
    expect([...(united.data as Uint8Array).subarray(0, 4)]).toEqual([0, 255, 0, 255]);
  });
});

describe('a labels file', () => {
  const labelsOf = async (text: string | Uint8Array) => {
    await writeFile(join(root, 'labels'), text);
    return Object.fromEntries(await readMaskLabels(join(root, 'labels')));
  };
  const wanted = { scratch: { colour: '#ff0000' }, 'deep dent': { colour: '#00ff0a' } };

  it.each([
    ['CVAT', '# label:color_rgb:parts:actions\nscratch:255,0,0::\ndeep dent:0,255,10::\n'],
    ['CamVid', 'name,r,g,b\r\nscratch,255,0,0\r\ndeep dent,0,255,10\r\n'],
    ['lines of colours', 'scratch #ff0000\n\n#00FF0A deep dent\n'],
    ['JSON', '{"scratch": "#ff0000", "deep dent": [0, 255, 10]}'],
    ['a list in JSON', '[{"name":"scratch","color":"#ff0000"},{"label":"deep dent","color":[0,255,10]}]'],
  ])('of %s', async (_, text) => {
    expect(await labelsOf(text)).toEqual(wanted);
  });

  it('of numbers before or behind names', async () => {
    expect(await labelsOf('0 background\n1: scratch\ndent=2\n')).toEqual({
      background: { number: 0 },
      scratch: { number: 1 },
      dent: { number: 2 },
    });
  });

  it.each([
    ['a plain list of names', 'background\nscratch\n'],
    ['two numbers', '1 2\n'],
    ['a name of two values', 'a 1\na 2\n'],
    ['a channel above 255', 'a:256,0,0::\n'],
    ['a long line', `${'a '.repeat(400)}1`],
    ['JSON of something else', '{"a": null}'],
    ['JSON that ends', '{"a": 1'],
    ['a list of nothing', '[null]'],
    ['nothing', '\n'],
  ])('that is %s is refused', async (_, text) => {
    expect(await codeOf(labelsOf(text))).toBe('E_DATA_MASK_VALUES');
  });

  it('is missing', async () => {
    expect(await codeOf(readMaskLabels(join(root, 'none')))).toBe('E_INPUT_NOT_FOUND');
    expect(await codeOf(readMaskLabels(root))).toBe('E_DATA_MASK_VALUES');
  });

  it('explains the names, and a name that it lacks is said', async () => {
    const file = join(root, 'labels.txt');
    await writeFile(file, 'scratch 1\nDent 3\n');
    expect(await marked(await grey([0, 1, 2, 3]), ['scratch', 'dent'], file)).toEqual([0, 1, 0, 1]);
    const code = (maskValues?: string[], maskLabels?: string) =>
      codeOf(
        chosenMaskValues({ ...(maskValues ? { maskValues } : {}), ...(maskLabels ? { maskLabels } : {}) }),
      );
    expect(await code(['scrtch'], file)).toBe('E_USAGE');
    expect(await code(['scratch'])).toBe('E_USAGE');
    expect(await code(undefined, file)).toBe('E_USAGE');
    expect(await code(['-1'])).toBe('E_USAGE');
  });
});

it('equal choices are equal in keys, whatever they were called', async () => {
  const one = await chosenMaskValues({ maskValues: ['3', '1', '1'] });
  expect(one).toHaveLength(2);
  expect(identityOfValues(one)).toBe(identityOfValues(await chosenMaskValues({ maskValues: ['1', '3'] })));
  expect(identityOfValues(undefined)).toBe('');
});

const makeSet = async (maps: readonly number[][]) => {
  const files: Record<string, Uint8Array> = { 'test/part/good/0.png': await greyPng(10, 8, 8) };
  for (const [at, map] of maps.entries()) {
    files[`test/part/bad/${at}.png`] = await greyPng(20 + at, 8, 8);
    files[`test/part/masks/${at}_mask.png`] = await grey(map);
  }
  return makeTree(root, files);
};

describe('a data set', () => {
  it('says what its maps have beside the named values, and what they lack', async () => {
    await makeSet([
      [0, 1, 2, 0],
      [0, 2, 5, 0],
      [1, 0, 0, 0],
    ]);
    const { items, warnings, layoutReason } = await openDataSet(root, { maskValues: ['1', '9'] });
    expect(items.every(({ maskValues }) => maskValues?.length === 2)).toBe(true);
    expect(layoutReason).toContain('of its masks 1, 9 are defects');
    expect(warnings).toEqual([
      '2 of 3 masks also have values that are not named and count as no defect: 2 (in 2), 5 (in 1)',
      '1 of 3 anomalous pictures have nothing of 1, 9 in their masks: no pixel of them is a defect',
      'no mask has 9',
    ]);
  });

  it('reads the masks of a picture one after the other within the budget, and each once', async () => {
    await makeTree(root, { 'a.png': await greyPng(10, 8, 8) });
    const masks = Array.from({ length: 6 }, (_, at) => `${at}.png`);
    for (const mask of masks) await makeTree(root, { [mask]: await grey([0, 1]) });
    const entry = { img_path: 'a.png', mask_paths: [...masks, ...masks], anomaly: 1 };
    await makeTree(root, { 'meta.json': metaOf({ part: [entry] }) });
    let [open, mostOpen, all, bytes] = [0, 0, 0, 0];
    const opening = vi.spyOn(ByteBudget.prototype, 'open').mockImplementation(() => {
      mostOpen = Math.max(mostOpen, ++open);
      all++;
      const take = async (wanted: number) => {
        bytes += wanted;
      };
      return { held: 0, take, keep: () => {}, close: () => void open-- };
    });
    expect((await openDataSet(root, { maskValues: ['1'] })).warnings).toEqual([]);
    opening.mockRestore();
    expect({ mostOpen, all, bytes }).toEqual({ mostOpen: 1, all: 6, bytes: 6 * 64 });
  });

  it('of which no mask has any named value is refused', async () => {
    await makeSet([[0, 2, 5, 0]]);
    expect(await codeOf(openDataSet(root, { maskValues: ['1'] }))).toBe('E_DATA_MASK_VALUES');
    const run = await runInProcess(['data', 'check', root, '--mask-values', '1']);
    expect([run.code, run.stdout]).toEqual([3, '']);
    expect(run.stderr).toContain('none of the 1 masks has 1; they have 2 (in 1), 5 (in 1)');
  });

  it('keeps them in its index, which an option of the call goes before', async () => {
    await makeSet([
      [0, 1, 2, 0],
      [0, 2, 5, 0],
    ]);
    const labels = join(root, 'labels.txt');
    await writeFile(labels, 'crack 2\n');
    const run = await runInProcess([
      'data',
      'index',
      root,
      '--mask-values',
      'crack',
      '--mask-labels',
      labels,
    ]);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('2 of 2 masks also have values that are not named');
    expect(JSON.parse(await readFile(join(root, 'meta.json'), 'utf8'))).toMatchObject({
      mask_values: [{ text: 'crack', number: 2 }],
    });
    const indexed = await openDataSet(root);
    expect(indexed.items[0]?.maskValues).toEqual([{ text: 'crack', number: 2 }]);
    expect((await openDataSet(root, { maskValues: ['1'] })).items[0]?.maskValues).toEqual([
      { text: '1', number: 1 },
    ]);
    const check = await runInProcess(['data', 'check', root]);
    expect(check.stdout).toContain('of its masks crack (2) are defects');
    const again = await runInProcess(['data', 'index', root, '--force']);
    expect(again.stderr).toContain('the index before took crack (2) of its masks as defects');
    await writeFile(join(root, 'meta.json'), JSON.stringify({ test: {}, mask_values: [{ text: 'a' }] }));
    expect(await codeOf(openDataSet(root))).toBe('E_DATA_META');
  });

  it('is not made of annotations at the same time', async () => {
    const run = await runInProcess(['data', 'index', root, '--annotations', root, '--mask-values', '1']);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('not both');
  });
});
