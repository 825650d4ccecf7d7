/** Folders as people have them: the cases of docs/field-cases.md by their numbers. */
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { indexDataSet } from '../../../src/data/index-data-set.js';
import { maskOfPicture } from '../../../src/data/label-mask.js';
import { dagm } from '../../../src/data/layouts/dagm.js';
import { PictureTree } from '../../../src/data/layouts/picture-tree.js';
import { openAnew, openDataSet, openDataSets } from '../../../src/data/open-data-set.js';
import type { FolderEntry } from '../../../src/scan/list-folder.js';
import { MaskNames } from '../../../src/scan/mask-names.js';
import { codeOf } from '../awaiting.js';
import { checkFolder, greyPng, makeRoot, makeTree, metaOf } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const check = () => checkFolder(root);

async function labelsOf(files: readonly string[], choices = {}) {
  await makeTree(root, files);
  const { items, scan } = await openDataSet(root, choices);
  const paths = (wanted: boolean) =>
    items.filter(({ isAnomalous }) => isAnomalous === wanted).map(({ imagePath }) => imagePath);
  return { normal: paths(false), anomalous: paths(true), items, scan };
}

describe('C2: labels by the names of folders', () => {
  it.each([
    ['OK', 'NG'],
    ['Good', 'Scratch'],
    ['GOOD', 'whatever'],
    ['normal', 'abnormal'],
    ['defect-free', 'Crack'],
    ['IO', 'NIO'],
    ['良品', '不良品'],
  ])('%s is normal, %s is not, whatever the case', async (normal, anomalous) => {
    const labels = await labelsOf([`${normal}/0.png`, `${anomalous}/1.png`]);
    expect([labels.normal, labels.anomalous]).toEqual([[`${normal}/0.png`], [`${anomalous}/1.png`]]);
  });

  it('a train split without defects tells the test split what is normal', async () => {
    const files = ['cap/train/OK/0.png', 'cap/test/scratch/1.png', 'cap/test/NG/2.png'];
    expect((await labelsOf(files)).anomalous).toEqual(['cap/test/NG/2.png', 'cap/test/scratch/1.png']);
  });

  it.each([
    [['negative/0.png', 'positive/1.png']],
    [['ng/0.png', 'left overs/1.png']],
    [['test/cap/line 1/0.png', 'test/cap/ng/1.png']],
    [['good/0.png', 'bad/1.png', 'good_old/2.png']],
    [['cap/train/good/0.png', 'cap/test/ok line/1.png']],
  ])('folders that nobody knows stop: %j', async (files) => {
    await makeTree(root, files);
    await expect(openDataSet(root)).rejects.toMatchObject({
      code: 'E_DATA_LABELS',
      hint: expect.stringContaining('--normal-folder'),
    });
  });

  it('and the hint names the folder that sounds normal, never the first one', async () => {
    await makeTree(root, ['def_front/0.png', 'ok_front/1.png']);
    await expect(openDataSet(root)).rejects.toMatchObject({
      hint: expect.stringMatching(/^say it: --normal-folder ok_front for/),
    });
  });

  it('unless it is said what they hold', async () => {
    const files = ['negative/0.png', 'positive/1.png', 'good_old/2.png'];
    const said = await labelsOf(files, {
      normalFolder: ['Negative', 'good_old'],
      anomalousFolder: ['positive'],
    });
    expect([said.normal, said.anomalous]).toEqual([['good_old/2.png', 'negative/0.png'], ['positive/1.png']]);
    const all = await labelsOf(files, { unknownFolders: 'anomalous' });
    expect(all.anomalous).toHaveLength(3);
    expect(await codeOf(openDataSet(root, { normalFolder: ['a'], anomalousFolder: ['A'] }))).toBe('E_USAGE');
  });

  it('what is said of the folders of an index is refused: it holds the labels', async () => {
    await makeTree(root, ['good/0.png', 'reference/1.png', 'bad/2.png']);
    const { file } = await indexDataSet(root, { layout: 'auto', overwrite: false });
    for (const choices of [
      { normalFolder: ['reference'] },
      { anomalousFolder: ['good'] },
      { unknownFolders: 'anomalous' as const },
    ])
      for (const place of [root, file])
        await expect(openDataSet(place, choices)).rejects.toMatchObject({
          code: 'E_USAGE',
          // Over the index that is there it would lose what folders do not show.
          hint: expect.stringMatching(
            /^make another .* data index .* --out '.*\/OTHER\.json' --(normal|anomalous|unknown)-folder/,
          ),
        });
    const made = await indexDataSet(root, { layout: 'auto', overwrite: true, normalFolder: ['reference'] });
    expect(made.sets.test.items.filter(({ isAnomalous }) => !isAnomalous)).toHaveLength(2);
  });

  it('of sets that are opened together only those without an index take it', async () => {
    const indexed = join(root, 'indexed');
    const plain = join(root, 'plain');
    await makeTree(indexed, ['good/0.png', 'bad/1.png']);
    await makeTree(plain, ['reference/0.png', 'bad/1.png']);
    await indexDataSet(indexed, { layout: 'auto', overwrite: false });
    const sets = await openDataSets([indexed, plain], { normalFolder: ['reference'] });
    expect(sets.map(({ items }) => items.filter(({ isAnomalous }) => isAnomalous).length)).toEqual([1, 1]);
    expect(sets.map(({ warnings }) => warnings)).toEqual([
      [expect.stringMatching(/meta\.json: this index says .*, not --normal-folder reference$/)],
      [],
    ]);
    expect(await codeOf(openDataSets([indexed], { normalFolder: ['reference'] }))).toBe('E_USAGE');
    // Nor is the other split of one of them refused, which holds nothing here.
    expect(await codeOf(openAnew(indexed, { normalFolder: ['reference'], split: 'train' }))).toBe(
      'E_DATA_EMPTY',
    );
  });

  it('a name that only a table has is met', async () => {
    await makeTree(root, {
      'cap/image_anno.csv': 'image,label,mask\ncap/0.png,worn,\ncap/1.png,crack,\n',
      'cap/0.png': '',
      'cap/1.png': '',
    });
    const { items, warnings } = await openDataSet(root, { normalFolder: ['worn'] });
    expect(items.map(({ isAnomalous }) => isAnomalous)).toEqual([false, true]);
    expect(warnings.join()).not.toContain('changes nothing');
  });

  it.each([
    [['good/0.png', 'reference/1.png'], 'referense', 'did you mean reference?'],
    [['brain/no/0.png', 'brain/yes/1.png'], 'yes', 'labelled by its name there'],
  ])('a name that changes no label is said once: %j', async (files, name, words) => {
    await makeTree(root, files);
    const { sets } = await indexDataSet(root, {
      layout: 'auto',
      overwrite: false,
      normalFolder: [name, 'GOOD'],
    });
    const warnings = [...sets.test.warnings, ...sets.train.warnings];
    expect(warnings.filter((line) => line.startsWith(`--normal-folder ${name} `))).toEqual([
      expect.stringContaining(words),
    ]);
    expect(warnings.some((line) => line.includes('GOOD'))).toBe(files[0] !== 'good/0.png');
  });

  it('a name that is known can be overruled, and not_good is no good', async () => {
    const labels = await labelsOf(['good/0.png', 'ok/1.png', 'not_good/2.png'], { anomalousFolder: ['ok'] });
    expect(labels.anomalous).toEqual(['not_good/2.png', 'ok/1.png']);
  });

  it('defects may have any name beside a normal folder, or where they have masks', async () => {
    const labels = await labelsOf(['dent/0.png', 'masks/0_mask.png']);
    expect(labels.anomalous).toEqual(['dent/0.png']);
  });

  it('folders of splits and masks are found whatever their case', async () => {
    const labels = await labelsOf([
      'cap/Train/good/0.png',
      'cap/TEST/NG/1.png',
      'cap/Ground_Truth/ng/1_MASK.png',
    ]);
    expect(labels.items[0]!.maskPaths).toEqual(['cap/Ground_Truth/ng/1_MASK.png']);
    expect((await openDataSet(root, { split: 'train' })).items).toHaveLength(1);
  });
});

describe('C3: masks beside their pictures', () => {
  it.each(['_mask', '_Mask', '_gt', '_GT', '-mask', '_seg', '.mask', '_label', '_segmentation'])(
    'NAME%s is the mask of NAME, and no picture',
    async (suffix) => {
      const { items } = await labelsOf(['good/g.png', 'bad/b (1).jpg', `bad/b (1)${suffix}.png`]);
      expect(items.map(({ imagePath, maskPaths }) => [imagePath, ...maskPaths])).toEqual([
        ['bad/b (1).jpg', `bad/b (1)${suffix}.png`],
        ['good/g.png'],
      ]);
    },
  );

  it('a name like a mask without its picture is a picture', async () => {
    const { anomalous } = await labelsOf(['good/g.png', 'bad/a_label.png']);
    expect(anomalous).toEqual(['bad/a_label.png']);
  });
});

describe('C5: pictures in folders within folders', () => {
  it('belong to the kind above them, with masks in the same place, or right in the folder of masks', async () => {
    const { items } = await labelsOf([
      'good/0.png',
      'good/2024-05/1.png',
      'bad/2.png',
      'bad/line b/3.png',
      'bad/line b/x/4.png',
      'masks/2_mask.png',
      'masks/bad/line b/3_mask.png',
      'masks/bad/4_mask.png',
    ]);
    expect(items.map(({ kind, imagePath }) => `${kind} ${imagePath}`)).toEqual([
      'bad bad/2.png',
      'bad bad/line b/3.png',
      'bad bad/line b/x/4.png',
      'good good/0.png',
      'good good/2024-05/1.png',
    ]);
    expect(items.map(({ maskPath }) => maskPath)).toEqual([
      null,
      'masks/bad/line b/3_mask.png',
      'masks/bad/4_mask.png',
      null,
      null,
    ]);
  });

  it('links that lead in circles end', async () => {
    await makeTree(root, ['good/0.png', 'bad/1.png']);
    await symlink('.', join(root, 'good/again'));
    await symlink('../bad', join(root, 'bad/again'));
    const { items, scan } = await openDataSet(root);
    expect(items.map(({ imagePath }) => imagePath)).toEqual(['bad/1.png', 'good/0.png']);
    expect(scan.leftOut).toMatchObject([{ reason: 'link', count: 2, examples: ['bad/again', 'good/again'] }]);
  });
});

describe('very many names', () => {
  const file = (name: string): FolderEntry => ({ name, kind: 'file', isLink: false });
  const folder = (name: string): FolderEntry => ({ name, kind: 'folder', isLink: false });
  const listing = (entries: Record<string, readonly FolderEntry[]>) =>
    vi.spyOn(PictureTree.prototype, 'entries').mockImplementation(async (path = '') => entries[path] ?? []);
  afterEach(() => vi.restoreAllMocks());
  const many = Array.from({ length: 200_000 }, (_, at) => file(`${at}.png`));

  it('in a folder of a kind are read', async () => {
    listing({ good: [folder('day1')], 'good/day1': many });
    expect(await new PictureTree(root).picturesBelow('good')).toHaveLength(many.length);
  });

  it('of a class of DAGM are read', async () => {
    vi.spyOn(MaskNames.prototype, 'find').mockReturnValue(undefined);
    listing({ '': [folder('Class1')], Class1: [folder('Test')], 'Class1/Test': many });
    expect((await dagm.read(new PictureTree(root), 'test')).entries).toHaveLength(many.length);
  });
});

it('folders that link to each other are looked through once for each kind', async () => {
  const kinds = ['bad', 'good', ...Array.from({ length: 5 }, (_, at) => `k${at}`)];
  await makeTree(
    root,
    kinds.map((kind) => `${kind}/${kind}.png`),
  );
  for (const from of kinds)
    for (const to of kinds) if (from !== to) await symlink(`../${to}`, join(root, from, `to ${to}`));
  const listed = vi.spyOn(PictureTree.prototype, 'entries');
  const { items } = await openDataSet(root);
  const places = new Set(listed.mock.calls.map(([path]) => path));
  listed.mockRestore();
  // Each kind by its own path, and below each of the others by one link.
  expect(items).toHaveLength(kinds.length ** 2);
  expect(places.size).toBeLessThan(2 * kinds.length ** 2);
});

describe('C8: several masks of one picture', () => {
  it('in a folder of its name, or numbered, are united and written into the index', async () => {
    await makeTree(root, {
      'cap/test/good/0.png': await greyPng(1),
      'cap/test/structural/000.png': await greyPng(2),
      'cap/test/structural/001.png': await greyPng(3),
      'cap/ground_truth/structural/000/000.png': await greyPng(0, 16, 12, { value: 255, pixels: 2 }),
      'cap/ground_truth/structural/000/001.png': await greyPng(0, 16, 12, { value: 7, pixels: 4 }),
      'cap/ground_truth/structural/001_mask.png': await greyPng(0, 16, 12, { value: 255, pixels: 1 }),
      'cap/ground_truth/structural/001_mask_1.png': await greyPng(9),
    });
    const index = await indexDataSet(root, { layout: 'auto', overwrite: false });
    const { items } = await openDataSet(index.file);
    expect(items.map(({ maskPaths }) => maskPaths.length)).toEqual([0, 2, 2]);
    const [, first] = items;
    expect(first!.masks).toEqual(
      ['000', '001'].map((name) => join(root, `cap/ground_truth/structural/000/${name}.png`)),
    );
    const united = await maskOfPicture(first!, { path: first!.image, width: 16, height: 12 });
    expect([...united.data.subarray(0, 5)]).toEqual([255, 255, 7, 7, 0]);
  });

  it('ground truth that no picture uses is a fault', async () => {
    await makeTree(root, {
      'good/0.png': await greyPng(1),
      'bad/1.png': await greyPng(2),
      'masks/2_mask.png': await greyPng(0, 16, 12, { value: 1, pixels: 1 }),
    });
    expect(await check()).toMatchObject({
      faults: 1,
      findings: [{ kind: 'unused-ground-truth', paths: ['masks/2_mask.png'] }, { kind: 'reading' }],
    });
  });
});

it('C2: negative and positive are asked for, also where masks of the same names lie there', async () => {
  await makeTree(root, [
    ...['train/Negative/0.png', 'test/Negative/1.png', 'test/Positive/0.png', 'ground_truth/0.png'],
  ]);
  expect(await codeOf(openDataSet(root))).toBe('E_DATA_LABELS');
  const { items } = await openDataSet(root, { normalFolder: ['negative'], anomalousFolder: ['positive'] });
  expect(items.map(({ kind, isAnomalous, maskPath }) => [kind, isAnomalous, maskPath])).toEqual([
    ['Negative', false, null],
    ['Positive', true, 'ground_truth/0.png'],
  ]);
});

describe('C14: texts as Windows writes them', () => {
  const meta = metaOf({ cap: [{ img_path: 'good/0.png', anomaly: 0 }] });
  it.each([
    ['UTF-16', Buffer.from(`\ufeff${meta}`, 'utf16le')],
    ['UTF-16 without its mark', Buffer.from(meta, 'utf16le')],
    ['UTF-16 of the other order', Buffer.from(`\ufeff${meta}`, 'utf16le').swap16()],
    ['UTF-8 with its mark', Buffer.from(`\ufeff${meta}`)],
  ])('meta.json in %s is read', async (_, bytes) => {
    await makeTree(root, { 'good/0.png': '', 'meta.json': bytes });
    expect((await openDataSet(root)).items).toHaveLength(1);
  });

  it('in another encoding is told as such', async () => {
    await makeTree(root, { 'meta.json': Buffer.from(meta.replace('good/', 'gr\xf6\xdfe/'), 'latin1') });
    expect(await codeOf(openDataSet(root))).toBe('E_TEXT_ENCODING');
  });
});

describe('C16: symbolic links in a data set', () => {
  beforeEach(async () => {
    await makeTree(root, { 'set/bad/1.png': await greyPng(1), 'hub/0.png': await greyPng(2) });
    await symlink('../hub', join(root, 'set/good'));
  });

  it('that lead outside are refused with their name', async () => {
    await expect(openDataSet(join(root, 'set'))).rejects.toMatchObject({
      code: 'E_DATA_PATH',
      message: expect.stringContaining('good/0.png: good is a symbolic link to ../hub'),
      hint: expect.stringContaining('--follow-links'),
    });
  });

  it('are followed where that is asked for, but `..` and absolute paths never are', async () => {
    const set = await openDataSet(join(root, 'set'), { followLinks: true });
    expect(set.items.map(({ imagePath }) => imagePath)).toEqual(['bad/1.png', 'good/0.png']);
    expect(set.scan).toMatchObject({ pictures: 2, leftOut: [] });
    await writeFile(join(root, 'set/meta.json'), metaOf({ cap: [{ img_path: '../hub/0.png', anomaly: 0 }] }));
    expect(await codeOf(openDataSet(join(root, 'set'), { followLinks: true }))).toBe('E_DATA_PATH');
  });
});
