import { mkdir, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataItem } from '../../../src/data/data-set.js';
import { indexDataSet } from '../../../src/data/index-data-set.js';
import { indexText } from '../../../src/data/index-text.js';
import { parseMeta } from '../../../src/data/meta-read.js';
import { metaText } from '../../../src/data/meta-write.js';
import { openDataSet } from '../../../src/data/open-data-set.js';
import { summarise } from '../../../src/data/summary.js';
import { codeOf } from '../awaiting.js';
import { makeRoot, makeTree, metaOf } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const entry = (more: Record<string, unknown> = {}) => ({
  img_path: 'a.png',
  mask_path: '',
  cls_name: 'cap',
  specie_name: 'good',
  anomaly: 0,
  ...more,
});
const withMeta = (entries: unknown[], files: string[] = ['a.png']) =>
  makeTree(root, {
    'meta.json': metaOf({ cap: entries }),
    ...Object.fromEntries(files.map((path) => [path, ''])),
  });

describe('reading meta.json', () => {
  it.each([
    ['bsdata', 'spindle', 2, 1],
    ['coffee_leaf', 'leaf', 2, 4],
    ['solar_el', 'solar_cell', 2, 3],
  ])('%s opens with its counts, by folder and by file', async (name, className, normal, anomalous) => {
    const folder = fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
    const set = await openDataSet(folder);
    expect(set).toMatchObject({ name, layout: 'meta.json', split: 'test', warnings: [] });
    const { classes } = summarise([set]).sets[0]!;
    expect(classes).toEqual([
      { className, normal, anomalous, withMask: anomalous, withoutMask: 0, hasOneLabel: false },
    ]);
    expect(await openDataSet(join(folder, 'meta.json'))).toEqual(set);
    expect(await codeOf(openDataSet(folder, { split: 'train' }))).toBe('E_DATA_EMPTY');
  });

  it('keeps the order of the file', async () => {
    await makeTree(root, {
      'meta.json': metaOf({
        zip: [entry({ img_path: 'b.png', cls_name: 'zip' }), entry({ cls_name: 'zip' })],
        cap: [entry({ img_path: 'c.png' })],
      }),
      'a.png': '',
      'b.png': '',
      'c.png': '',
    });
    expect((await openDataSet(root)).items.map(({ imagePath }) => imagePath)).toEqual([
      'b.png',
      'a.png',
      'c.png',
    ]);
  });

  it('takes an empty mask, a folder, null and nothing as no mask', async () => {
    await withMeta(
      ['', 'masks', '.', null, undefined].map((mask_path) => entry({ mask_path, anomaly: 1 })),
      ['a.png', 'masks/x.png'],
    );
    const set = await openDataSet(root);
    expect(set.items.map(({ mask, maskPath }) => [mask, maskPath])).toEqual(Array(5).fill([null, null]));
    expect(set.warnings).toEqual(['2 entries name a folder as their mask: that counts as no mask']);
  });

  it('reads absolute paths inside the root, with a warning', async () => {
    await withMeta([entry({ img_path: join(root, 'a.png'), mask_path: join(root, 'a.png') })]);
    const set = await openDataSet(root);
    expect(set.items[0]).toMatchObject({ image: join(root, 'a.png'), imagePath: 'a.png', maskPath: 'a.png' });
    expect(set.warnings).toHaveLength(1);
    expect(set.warnings[0]).toMatch(/^2 absolute paths/);
  });

  it('a picture or mask that is missing stops it', async () => {
    await withMeta([entry({ img_path: 'gone.png' })]);
    expect(await codeOf(openDataSet(root))).toBe('E_DATA_NOT_FOUND');
    await withMeta([entry({ mask_path: 'gone.png' })]);
    expect(await codeOf(openDataSet(root))).toBe('E_DATA_NOT_FOUND');
  });

  it('so does a data set that is missing', async () => {
    expect(await codeOf(openDataSet(join(root, 'no')))).toBe('E_DATA_NOT_FOUND');
  });
});

describe('paths that leave the root', () => {
  const inside = () => join(root, 'set');
  const openWith = async (path: string, key: 'img_path' | 'mask_path') => {
    const meta = metaOf({ cap: [entry({ [key]: path })] });
    await makeTree(inside(), { 'meta.json': meta, 'a.png': '' });
    await makeTree(root, { 'secret.png': 'x', 'set2/b.png': 'x' });
    return codeOf(openDataSet(inside()));
  };

  for (const key of ['img_path', 'mask_path'] as const) {
    it.each([
      '../secret.png',
      'x/../../secret.png',
      './../secret.png',
      '/etc/hostname',
      '../set2/b.png',
      '..',
    ])(`${key} %s is refused`, async (path) => {
      expect(await openWith(path, key)).toBe('E_DATA_PATH');
    });
  }

  it('a link to a file or a folder outside is refused, one inside is followed', async () => {
    await mkdir(inside(), { recursive: true });
    await symlink(join(root, 'secret.png'), join(inside(), 'link.png'));
    await symlink(root, join(inside(), 'up'));
    await symlink('a.png', join(inside(), 'own.png'));
    expect(await openWith('link.png', 'img_path')).toBe('E_DATA_PATH');
    expect(await openWith('up/secret.png', 'img_path')).toBe('E_DATA_PATH');
    expect(await openWith('own.png', 'img_path')).toBe('no error');
  });

  it('a root that is itself a link is no fault, nor are absolute paths through it', async () => {
    expect(await openWith('a.png', 'img_path')).toBe('no error');
    const link = join(root, 'link');
    await symlink(inside(), link);
    await writeFile(join(inside(), 'meta.json'), metaOf({ cap: [entry({ img_path: join(link, 'a.png') })] }));
    expect((await openDataSet(link)).items[0]!.imagePath).toBe('a.png');
    // Through the link's target as well: the same file.
    await writeFile(
      join(inside(), 'meta.json'),
      metaOf({ cap: [entry({ img_path: join(inside(), 'a.png') })] }),
    );
    expect((await openDataSet(link)).items[0]!.imagePath).toBe('a.png');
  });
});

describe('a hostile meta.json', () => {
  const one = (more: Record<string, unknown>) => metaOf({ cap: [entry(more)] });
  it.each([
    ['no JSON', '{"test": '],
    ['not finite', '{"test": {"cap": [{"img_path": "a.png", "anomaly": NaN}]}}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no split', '{"valid": {}}'],
    ['an inherited split', '{"__proto__": {"test": {}}}'],
    ['a split that is a list', '{"test": []}'],
    ['a class that is an object', '{"test": {"cap": {"0": {}}}}'],
    ['an entry that is text', '{"test": {"cap": ["a.png"]}}'],
    ['a class without name', '{"test": {"": []}}'],
    ['a class with a very long name', JSON.stringify({ test: { ['x'.repeat(256)]: [] } })],
    ['no picture', one({ img_path: undefined })],
    ['an empty picture', one({ img_path: '' })],
    ['a picture that is a number', one({ img_path: 1 })],
    ['a zero character', one({ img_path: 'a\0.png' })],
    ['a path that is too long', one({ img_path: 'x'.repeat(4097) })],
    ['a label of 2', one({ anomaly: 2 })],
    ['a label that is a word', one({ anomaly: 'yes' })],
    ['another class', one({ cls_name: 'ring' })],
    ['a very deep one', '['.repeat(200_000)],
  ])('with %s is refused with a code', (_, text) => {
    expect(() => parseMeta(text, 'meta.json').read('test')).toThrowError(
      expect.objectContaining({ code: 'E_DATA_META' }),
    );
  });

  it('names what is wrong where, without steering the terminal', () => {
    const text = metaOf({ 'c\u001b[31m': [{ img_path: 'a.png', anomaly: 7 }] });
    expect(() => parseMeta(text, 'm').read('test')).toThrowError(
      /^m: test, class c\ufffd\[31m, entry 0: anomaly: /,
    );
  });

  it('classes called like properties of every object are classes like others', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const classes = names.map((name) => `${JSON.stringify(name)}: [{"img_path": "a.png", "anomaly": 1}]`);
    await makeTree(root, { 'meta.json': `{"test": {${classes.join(',')}}}`, 'a.png': '' });
    const set = await openDataSet(root);
    expect(set.items.map(({ className }) => className)).toEqual(names);
    expect(summarise([set]).sets[0]!.classes.map(({ className }) => className)).toEqual(names);
    const written = metaText({ test: set.items, train: [] }, root);
    expect(
      parseMeta(written, 'written')
        .read('test')
        .entries.map(({ className }) => className),
    ).toEqual(names);
    expect(({} as Record<string, unknown>)['img_path']).toBeUndefined();
  });

  it('is made anew under its own name', () => {
    const hintFor = (name: string) => {
      try {
        return parseMeta('{', name);
      } catch (thrown) {
        return (thrown as { hint: string }).hint;
      }
    };
    expect(hintFor('set/meta.json')).toMatch(/data index set --force$/);
    expect(hintFor('set/fold2.json')).toMatch(/data index set --out set\/fold2\.json --force$/);
  });

  it('more than the limit is not even read', async () => {
    const file = await open(join(root, 'meta.json'), 'w');
    await file.truncate(2 ** 29); // a hole: takes no room
    await file.close();
    expect(await codeOf(openDataSet(root))).toBe('E_DATA_META');
  });

  it('a byte order mark is forgiven', () => {
    expect(parseMeta(`\ufeff${metaOf({ cap: [entry()] })}`, 'm').read('test').entries).toHaveLength(1);
  });
});

describe('writing meta.json', () => {
  const files = [
    'train/cap/good/0.png',
    'test/cap/good/ä.png',
    'test/cap/hole/1.png',
    'test/cap/masks/1_mask.png',
  ];
  const index = (more: { out?: string; overwrite?: boolean } = {}) =>
    indexDataSet(root, { layout: 'auto', overwrite: false, ...more });

  it('what was written reads as the same data set', async () => {
    await makeTree(root, files);
    const { sets, file } = await index();
    expect(file).toBe(join(root, 'meta.json'));
    for (const split of ['test', 'train'] as const)
      expect((await openDataSet(root, { split })).items).toEqual(sets[split].items);
    const json = JSON.parse(await readFile(file, 'utf8')) as { test: { cap: unknown[] } };
    expect(json.test.cap[1]).toEqual({
      img_path: 'test/cap/hole/1.png',
      mask_path: 'test/cap/masks/1_mask.png',
      cls_name: 'cap',
      specie_name: 'hole',
      anomaly: 1,
    });
  });

  it('never overwrites unless told to, and gives the same bytes again', async () => {
    await makeTree(root, files);
    const { file } = await index();
    const first = await readFile(file);
    await writeFile(file, 'mine');
    expect(await codeOf(index())).toBe('E_EXISTS');
    expect(await readFile(file, 'utf8')).toBe('mine');
    await index({ overwrite: true });
    expect(await readFile(file)).toEqual(first);
  });

  it('above the root it names the way down, beside or below the root it is refused', async () => {
    await makeTree(join(root, 'set'), files);
    const out = (path: string) =>
      indexDataSet(join(root, 'set'), { layout: 'auto', overwrite: false, out: join(root, path) });
    await out('all.json');
    expect((await openDataSet(join(root, 'all.json'))).items[0]!.imagePath).toBe('set/test/cap/good/ä.png');
    expect(await codeOf(out('other/meta.json'))).toBe('E_USAGE');
    expect(await codeOf(out('set/test/meta.json'))).toBe('E_USAGE');
  });

  it('classes whose names are numbers keep their place', () => {
    const item = (className: string) => ({
      image: '/a.png',
      imagePath: 'a.png',
      mask: null,
      maskPath: null,
      masks: [],
      maskPaths: [],
      className,
      kind: 'good',
      isAnomalous: false,
    });
    const text = metaText({ test: [item('b'), item('10'), item('9')], train: [] }, '/');
    expect([...text.matchAll(/^ {2}"(.*)": \[$/gm)].map(([, name]) => name)).toEqual(['b', '10', '9']);
  });

  it('what no index could be read with again is not written', async () => {
    const masks = Array.from({ length: 1001 }, (_, at) => `cap/ground_truth/hole/0/${at}.png`);
    await makeTree(root, ['cap/test/good/0.png', 'cap/test/hole/0.png', ...masks]);
    await expect(index()).rejects.toMatchObject({
      code: 'E_DATA_META',
      message: expect.stringMatching(/entry 1: mask_paths: .*: no index was written/),
    });
    // Nothing is made of them: a text of all may be longer than a text can be.
    const many = new Array<DataItem>(1_000_001);
    const file = join(root, 'meta.json');
    expect(() => indexText(file, { test: many, train: [] }, root, {})).toThrow(
      expect.objectContaining({ code: 'E_DATA_META' }),
    );
    expect(await readdir(root)).toEqual(['cap']);
  });

  it('an entry whose file lies outside is not written down', async () => {
    await makeTree(join(root, 'set'), files);
    await makeTree(root, { 'x.png': '' });
    await symlink(join(root, 'x.png'), join(root, 'set/test/cap/good/x.png'));
    expect(await codeOf(indexDataSet(join(root, 'set'), { layout: 'auto', overwrite: false }))).toBe(
      'E_DATA_PATH',
    );
  });
});
