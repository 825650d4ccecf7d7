/** What data check tells of folders as people have them: the cases of docs/field-cases.md by their numbers. */
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataSet } from '../../../src/data/open-data-set.js';
import { checkFolder, greyPng, makeRoot, makeTree, metaOf } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const check = () => checkFolder(root);

describe('C4: the account of a data set', () => {
  it('counts every file, with the reason for which it is left out', async () => {
    await makeTree(root, [
      ...[
        'good/0.png',
        'bad/1.png',
        'bad/x.jxl',
        'bad/y.JXL',
        'bad/z.tga',
        'masks/1_mask.png',
        'masks/7_mask.png',
      ],
      ...['good/Thumbs.db', 'good/.DS_Store', 'bad/._1.png', '__MACOSX/good/0.png', '@eaDir/0.png/x.jpg'],
      ...['.cache/0.png', 'read me.txt', 'rejected/later/0.png'],
    ]);
    await writeFile(
      Buffer.concat([Buffer.from(`${root}/good/Gro`), Buffer.from([0xdf]), Buffer.from('.png')]),
      '',
    );
    await symlink('/nowhere', join(root, 'good/gone.png'));
    const { scan, items } = await openDataSet(root);
    expect(items).toHaveLength(3);
    expect(scan).toEqual({
      pictures: 3,
      masks: 1,
      leftOut: [
        {
          reason: 'kind-not-read',
          count: 3,
          examples: ['bad/x.jxl', 'bad/y.JXL', 'bad/z.tga'],
          endings: { jxl: 2, tga: 1 },
        },
        { reason: 'unused-ground-truth', count: 1, examples: ['masks/7_mask.png'] },
        { reason: 'broken-link', count: 1, examples: ['good/gone.png'] },
        { reason: 'name-not-utf8', count: 1, examples: ['good/Gro\\xdf.png'] },
        {
          reason: 'rubbish',
          count: 5,
          examples: ['@eaDir', '__MACOSX', 'bad/._1.png', 'good/.DS_Store', 'good/Thumbs.db'],
        },
        { reason: 'hidden', count: 1, examples: ['.cache'] },
        { reason: 'no-picture', count: 1, examples: ['read me.txt'] },
      ],
    });
  });

  it('tells pictures that the layout has no place for, of no split, and of the other split', async () => {
    await makeTree(root, [
      ...['cap/train/good/0.png', 'cap/test/good/1.png', 'cap/test/hole/2.png', 'cap/validation/good/3.png'],
      ...['cap/test/4.png', 'overview.png'],
    ]);
    const { scan } = await openDataSet(root);
    expect(scan.leftOut.map(({ reason, examples }) => [reason, ...examples])).toEqual([
      ['too-deep', 'cap/test/4.png'],
      ['outside-layout', 'overview.png'],
      ['no-split', 'cap/validation/good/3.png'],
      ['other-split', 'cap/train/good/0.png'],
    ]);
  });

  it('data check tells what an index does not name, without looking into other folders', async () => {
    await makeTree(root, {
      'good/0.png': await greyPng(1),
      'good/1.png': await greyPng(2),
      'other/9.png': '',
      'meta.json': metaOf({ cap: [{ img_path: 'good/0.png', anomaly: '0' }] }),
    });
    expect(await check()).toMatchObject({
      findings: [{ kind: 'left-out', paths: ['good/1.png'] }],
      scan: { pictures: 1, leftOut: [{ reason: 'not-in-index', count: 1 }] },
    });
  });
});

describe('C6, C7: masks that cannot be meant, or are not exact', () => {
  it('are findings of data check: nearly all marked, more than half, lossy', async () => {
    const rest = (share: number) => greyPng(255, 16, 12, { value: 0, pixels: Math.round(192 * (1 - share)) });
    const jpeg = await sharp(await greyPng(0, 16, 16, { value: 255, pixels: 40 }))
      .jpeg()
      .toBuffer();
    await makeTree(root, {
      'good/0.png': await greyPng(1),
      'bad/1.png': await greyPng(2),
      'bad/2.png': await greyPng(3),
      'bad/3.png': await greyPng(4, 16, 16),
      'masks/1_mask.png': await rest(0.97),
      'masks/2_mask.png': await rest(0.6),
      'masks/3_mask.jpg': jpeg,
    });
    const { findings, faults } = await check();
    const told = findings.filter(({ kind }) => kind.endsWith('-mask'));
    expect(told.map(({ kind, paths, detail }) => [kind, ...paths, detail])).toEqual([
      ['full-mask', 'masks/1_mask.png', '96.9 % are marked'],
      ['large-mask', 'masks/2_mask.png', '59.9 % are marked'],
      ['lossy-mask', 'masks/3_mask.jpg', undefined],
    ]);
    expect(faults).toBe(0);
  });
});

it('C6: masks of boolean arrays that were read turned round are a finding, and no longer nearly full', async () => {
  const made = (name: string) => readFile(new URL(`../images/field/${name}`, import.meta.url));
  await makeTree(root, {
    'good/0.png': await greyPng(1, 12, 10),
    'bad/1.png': await greyPng(2, 12, 10),
    'bad/2.png': await greyPng(3, 12, 10),
    'masks/1_mask.tif': await made('boolean.tif'),
    'masks/2_mask.tif': await made('scan.tif'),
  });
  const { findings, faults } = await check();
  expect([faults, findings.map(({ kind, paths }) => [kind, ...paths])]).toEqual([
    0,
    [['turned-mask', 'masks/1_mask.tif']],
  ]);
});

it('every finding of data check says what mends it', async () => {
  await makeTree(root, {
    'good/0.png': await greyPng(1),
    'bad/1.png': 'damaged',
    'masks/2_mask.png': await greyPng(255),
  });
  const { findings } = await check();
  expect(findings.map(({ kind }) => kind)).toEqual(['damaged-picture', 'unused-ground-truth', 'reading']);
  // The root has blanks: the command has to survive a shell.
  for (const { mend } of findings) expect(mend).toContain(`npx crane-native data index '${root}' --force`);
});

it.each([
  [3, 16, 12, true],
  [6, 12, 12, true],
  [6, 16, 12, false],
  [1, 12, 12, false],
])(
  'a mask of a picture of EXIF orientation %i, %i x %i, fits both ways: %s',
  async (orientation, width, height, isUnclear) => {
    const picture = (value: number) =>
      sharp({ create: { width, height, channels: 3, background: { r: value, g: 9, b: 9 } } })
        .withMetadata({ orientation })
        .jpeg()
        .toBuffer();
    await makeTree(root, {
      'good/0.jpg': await picture(120),
      'bad/1.jpg': await picture(200),
      'masks/1_mask.png': await greyPng(0, width, height, { value: 255, pixels: 5 }),
    });
    const { findings } = await check();
    expect(findings.map(({ kind, paths }) => [kind, ...paths])).toEqual(
      isUnclear ? [['mask-orientation', 'bad/1.jpg', 'masks/1_mask.png']] : [],
    );
  },
);
