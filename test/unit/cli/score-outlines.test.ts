/** `score --format coco|labelme`: regions as annotation tools read them, whole or not at all, also of interrupted runs. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCoco } from '../../../src/data/annotations/coco.js';
import { readLabelme } from '../../../src/data/annotations/labelme.js';
import { isThere } from '../../../src/files/write-whole.js';
import type { CocoFile, LabelmeFile } from '../../../src/sinks/outline-files.js';
import { writePicture } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';
import { codeOf, useScoringWorkplace } from './scoring-workplace.js';

const work = useScoringWorkplace();
const at = (...parts: string[]) => work.at(...parts);
const ofMap = ['--map-threshold', '0.5'];
let folder: string;
beforeAll(async () => {
  folder = at('spotted');
  await mkdir(join(folder, 'more'), { recursive: true });
  // The right half is bright; nothing; all; and the same name in two folders.
  await half(join(folder, 'half.png'));
  await writePicture(join(folder, 'none.png'), 20);
  await writePicture(join(folder, 'all.png'), 220);
  await half(join(folder, 'more', 'half.png'));
  await writeFile(join(folder, 'broken.png'), 'nothing');
});

async function half(path: string): Promise<void> {
  const bright = await sharp({ create: { width: 16, height: 24, channels: 3, background: '#dddddd' } })
    .png()
    .toBuffer();
  await sharp({ create: { width: 32, height: 24, channels: 3, background: '#222222' } })
    .composite([{ input: bright, left: 16, top: 0 }])
    .png()
    .toFile(path);
}
const json = async <T>(...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8')) as T;
const boxes = ({ images, annotations }: CocoFile) =>
  annotations.map(({ image_id, bbox, area }) => [
    images.find(({ id }) => id === image_id)!.file_name.slice(folder.length + 1),
    bbox,
    area,
  ]);
const found = [
  ['all.png', [0, 0, 32, 24], 768],
  ['half.png', [16, 0, 16, 24], 384],
  [join('more', 'half.png'), [16, 0, 16, 24], 384],
];

describe('COCO', () => {
  it('is one file of all pictures that were scored, those without a region too', async () => {
    const out = at('coco');
    const run = await work.score([folder, '--recursive', '--out', out, ...ofMap, '--format', 'coco']);
    expect([run.code, run.stdout]).toEqual([3, '']);
    expect(run.stderr).toContain(`regions: ${join(out, 'results.coco.json')}`);
    expect((await readdir(out)).sort()).toEqual(['results.coco.json', 'results.jsonl']);
    const file = await json<CocoFile>(out, 'results.coco.json');
    expect(file.images.map(({ file_name }) => file_name.slice(folder.length + 1))).toEqual([
      'all.png',
      'half.png',
      join('more', 'half.png'),
      'none.png',
    ]);
    expect(boxes(file)).toEqual(found);
    expect(file.categories).toEqual([{ id: 1, name: 'anomalous' }]);
    const read = readCoco(file, 'results.coco.json');
    expect([read.warnings, read.pictures.map(({ shapes }) => shapes.length)]).toEqual([[], [1, 1, 1, 0]]);
  });

  it('is whole after an interrupted run, which has none, and equals that of an undisturbed one', async () => {
    const args = [folder, '--recursive', '--out', at('stopped'), ...ofMap, '--format', 'coco'];
    await work.score([...args, '--limit', '2']);
    // A limit ends a run as a whole one; what is missing comes with --resume, and the file is made anew.
    expect((await json<CocoFile>(at('stopped'), 'results.coco.json')).images).toHaveLength(1);
    const stop = new AbortController();
    const gate = async () => stop.abort();
    const stopped = await work.score([...args, '--resume', '--batch', '1'], { gate, stop: stop.signal });
    expect(stopped.code).toBe(130);
    expect((await readdir(at('stopped'))).sort()).toEqual(['results.jsonl.partial']);
    // The one that failed did so in the first of these runs: told as by the undisturbed one.
    expect((await work.score([...args, '--resume'])).code).toBe(3);
    expect(await json(at('stopped'), 'results.coco.json')).toEqual(
      await json(at('coco'), 'results.coco.json'),
    );
  });

  it('of no region at all, and of no picture that could be scored, is a file too', async () => {
    for (const [name, images] of [
      ['none.png', 1],
      ['broken.png', 0],
    ] as const) {
      const out = at(`coco of ${name}`);
      await work.score([join(folder, name), '--out', out, ...ofMap, '--format', 'coco']);
      const file = await json<CocoFile>(out, 'results.coco.json');
      expect([file.images.length, file.annotations]).toEqual([images, []]);
    }
  });

  it('lies in pixels of the whole picture where a region of interest was cut', async () => {
    const out = at('coco of a part');
    const args = ['--roi', '8,6,16,12', '--out', out, ...ofMap, '--format', 'coco'];
    await work.score([join(folder, 'half.png'), ...args]);
    const file = await json<CocoFile>(out, 'results.coco.json');
    expect(boxes(file)).toEqual([['half.png', [16, 6, 8, 12], 96]]);
    expect(file.images).toMatchObject([{ width: 32, height: 24 }]);
    expect(file.annotations[0]!.segmentation).toEqual([[24, 6, 24, 18, 16, 18, 16, 6]]);
  });

  it('of shards is joined by merge', async () => {
    const out = at('coco shards');
    for (const shard of ['1/2', '2/2'])
      await work.score([folder, '--recursive', '--shard', shard, '--out', out, ...ofMap, '--format', 'coco']);
    const merged = await runInProcess(['merge', out, '--out', at('all.json')]);
    expect(merged.stderr).toContain('2 shards, 5 results, 1 of them failed');
    expect(await json(at('all.json'))).toEqual(await json(at('coco'), 'results.coco.json'));
  });

  it('of results without outlines is refused, before anything is scored or written', async () => {
    const out = at('without outlines');
    const args = [join(folder, 'half.png'), '--out', out, ...ofMap];
    await work.score([...args, '--regions']);
    const refused = await work.score([...args, '--resume', '--format', 'coco', '--json']);
    expect(codeOf(refused.stderr)).toMatchObject({
      code: 'E_USAGE',
      hint: expect.stringContaining('--force'),
    });
    expect(refused.addon.log.passes).toHaveLength(0);
    // What was whole is so still.
    await rm(join(out, 'results.jsonl'));
    await work.score([...args, '--shard', '1/1', '--regions']);
    const merged = await runInProcess(['merge', out, '--out', at('no.json'), '--json']);
    expect(codeOf(merged.stderr).code).toBe('E_USAGE');
    expect(await isThere(at('no.json'))).toBe(false);
  });

  it('of somebody else is not overwritten', async () => {
    await mkdir(at('foreign coco'));
    await writeFile(at('foreign coco', 'results.coco.json'), 'mine');
    const args = [join(folder, 'half.png'), '--out', at('foreign coco'), ...ofMap, '--format', 'coco'];
    const run = await work.score([...args, '--json']);
    expect(codeOf(run.stderr).code).toBe('E_EXISTS');
    expect(run.addon.log.passes).toHaveLength(0);
    expect(await readFile(at('foreign coco', 'results.coco.json'), 'utf8')).toBe('mine');
  });
});

describe('labelme', () => {
  it('is a file for each picture that was scored, from which its picture is found', async () => {
    const out = at('labelme');
    const run = await work.score([folder, '--recursive', '--out', out, ...ofMap, '--format', 'labelme']);
    expect([run.code, run.stdout]).toEqual([3, '']);
    const names = ['all.json', 'half.json', 'more/half.json', 'none.json'];
    const there = await readdir(join(out, 'labelme'), { recursive: true });
    expect(there.filter((name) => name.endsWith('.json')).sort()).toEqual(names);
    for (const name of names) {
      const file = await json<LabelmeFile>(out, 'labelme', name);
      expect(resolve(dirname(join(out, 'labelme', name)), file.imagePath)).toBe(
        join(folder, name.replace('.json', '.png')),
      );
      const { warnings, picture } = readLabelme(file, name, name);
      expect([warnings, picture.size]).toEqual([[], { width: 32, height: 24 }]);
    }
    expect((await json<LabelmeFile>(out, 'labelme', 'none.json')).shapes).toEqual([]);
    const rows = (await readFile(join(out, 'results.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(rows.map((row) => (JSON.parse(row) as { labelme?: string }).labelme)).toEqual([
      'labelme/all.json',
      undefined,
      'labelme/half.json',
      'labelme/more/half.json',
      'labelme/none.json',
    ]);
  });

  it('never meets another, whatever inputs come again or come first', async () => {
    const [one, two] = [join(folder, 'half.png'), join(folder, 'more', 'half.png')];
    const args = ['--out', at('met'), ...ofMap, '--format', 'labelme'];
    await work.score([two, ...args]);
    const run = await work.score([one, one, two, ...args, '--resume']);
    expect(run.code).toBe(0);
    expect(await readdir(at('met', 'labelme'))).toHaveLength(3);
    const pictures = await Promise.all(
      (await readdir(at('met', 'labelme'))).map(async (name) => {
        const { imagePath } = await json<LabelmeFile>(at('met'), 'labelme', name);
        return resolve(at('met', 'labelme'), imagePath);
      }),
    );
    expect(pictures.sort()).toEqual([one, one, two].sort());
  });

  it('is not made by merge', async () => {
    const run = await runInProcess(['merge', at('labelme'), '--format', 'labelme', '--json']);
    expect(codeOf(run.stderr).message).toContain('merge makes no files of single pictures');
  });
});

describe.each(['coco', 'labelme'])('--format %s', (format) => {
  it('needs a folder and a map threshold, and says so before a model is loaded', async () => {
    const picture = join(folder, 'half.png');
    const noFolder = await work.score([picture, ...ofMap, '--format', format, '--json']);
    expect(codeOf(noFolder.stderr).message).toContain(`--format ${format} needs a folder`);
    const args = ['--map-threshold', 'none', '--out', at(`no ${format}`), '--format', format];
    const noThreshold = await work.score([picture, ...args, '--json']);
    expect(codeOf(noThreshold.stderr)).toMatchObject({
      code: 'E_USAGE',
      hint: expect.stringContaining('--map-threshold'),
    });
    expect(noThreshold.addon.log.passes).toHaveLength(0);
    expect(await isThere(at(`no ${format}`))).toBe(false);
  });

  it('leaves ignored pixels out, and refuses a threshold at which they would be a region', async () => {
    const mask = at('mask.png');
    await sharp({ create: { width: 32, height: 24, channels: 3, background: '#000000' } })
      .composite([
        {
          input: { create: { width: 32, height: 12, channels: 3, background: '#ffffff' } },
          left: 0,
          top: 0,
        },
      ])
      .png()
      .toFile(mask);
    const picture = join(folder, 'all.png');
    const args = ['--ignore', mask, '--format', format, '--json'];
    const run = await work.score([picture, ...args, ...ofMap, '--out', at(`${format} ignored`)]);
    expect(run.code).toBe(0);
    const first = await readFile(at(`${format} ignored`, 'results.jsonl'), 'utf8');
    expect(JSON.parse(first)).toMatchObject({ regions: [{ y: 12, height: 12, area: 384 }] });
    const low = await work.score([picture, ...args, '--map-threshold', '0', '--out', at(`${format} low`)]);
    expect(codeOf(low.stderr)).toMatchObject({ code: 'E_USAGE' });
    expect(await isThere(at(`${format} low`, 'results.jsonl'))).toBe(false);
  });
});
