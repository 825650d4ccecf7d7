import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { writeWhole } from '../../../src/files/write-whole.js';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { heatMapFile } from '../../../src/images/heat-map.js';
import { maskOutline } from '../../../src/images/mask-outline.js';
import { pageOf } from '../../../src/pages/demo/page.js';
import { escapeHtml } from '../../../src/pages/html.js';
import { mapFile } from '../../../src/sinks/map-file.js';
import { OutputNames } from '../../../src/sinks/output-names.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder } from '../engine/toy-model.js';

const addon = makeFakeAddon();
const map = new AnomalyMap(
  { data: Float32Array.from({ length: 12 }, (_, at) => at / 11), width: 4, height: 3 },
  addon,
);
let folder: string;
beforeAll(async () => {
  folder = await makeToyFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('map files', () => {
  it('npy: a header of format 1.0 padded to 64 bytes, then the values', async () => {
    const bytes = Buffer.concat(await mapFile(map, 'npy'));
    expect(bytes.subarray(0, 8)).toEqual(Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]));
    const start = 10 + bytes.readUInt16LE(8);
    expect(start % 64).toBe(0);
    expect(bytes.subarray(10, start).toString()).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(3, 4\), \} *\n$/,
    );
    expect(new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer)).toEqual(map.data);
  });

  it('tiff: other programs read the same floats', async () => {
    const { data, info } = await sharp(Buffer.concat(await mapFile(map, 'tiff')))
      .toColourspace('b-w')
      .raw({ depth: 'float' })
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 4, height: 3, channels: 1 });
    expect(data.length).toBe(48);
    const bytes = Buffer.concat(await mapFile(map, 'tiff'));
    expect(new Float32Array(Uint8Array.from(bytes.subarray(-48)).buffer)).toEqual(map.data);
  });
});

describe('names of output files', () => {
  const claimAll = (...places: string[]) => {
    const names = new OutputNames();
    return places.map((place) => names.claim(place));
  };

  it('mirror the inputs and never meet, whatever the file system folds together', () => {
    expect(claimAll('a.png', 'sub/a.png', 'a.jpg', 'a.jpg', 'A.png', 'noending')).toEqual([
      'a',
      'sub/a',
      'a.jpg',
      'a.jpg~2',
      'A.png',
      'noending',
    ]);
    const [composed, decomposed] = claimAll('\u00e9.png', 'e\u0301.png');
    expect(composed!.normalize('NFC')).not.toBe(decomposed!.normalize('NFC'));
  });

  it('never leave the folder', () => {
    for (const name of claimAll(
      '../../etc/passwd',
      '/abs/x.png',
      '..',
      '.',
      '',
      'a/../../b.png',
      'c:\\x\\y.png',
    )) {
      expect(join('/out', name).startsWith('/out/')).toBe(true);
      expect(name.split('/')).not.toContain('..');
    }
  });

  it('are safe on other systems and not too long', () => {
    expect(claimAll('a<b>:"|?*.png', 'tab\there.png')).toEqual(['a_b______', 'tab_here']);
    const [long] = claimAll(`${'ü'.repeat(300)}.png`);
    expect(Buffer.byteLength(long!)).toBeLessThanOrEqual(180);
  });
});

describe('writing whole files', () => {
  it('refuses to overwrite, leaves nothing behind, overwrites when told', async () => {
    const path = join(folder, 'deep', 'er', 'x.bin');
    await writeWhole(path, [Buffer.from('one'), Buffer.from('two')], { overwrite: false });
    const error = await writeWhole(path, 'new', { overwrite: false }).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({ code: 'E_EXISTS' });
    expect(await readFile(path, 'utf8')).toBe('onetwo');
    await writeWhole(path, 'new', { overwrite: true });
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(join(folder, 'deep', 'er'))).toEqual(['x.bin']);
  });

  it('many at once: one wins, the others say that it exists', async () => {
    const path = join(folder, 'race.bin');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) => writeWhole(path, `${at}`, { overwrite: false })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('a folder in the way is E_IO_WRITE', async () => {
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'x'), '');
    const error = await writeWhole(join(folder, 'taken'), 'x', { overwrite: true }).catch(
      (thrown: CraneError) => thrown,
    );
    expect(error).toMatchObject({ code: 'E_IO_WRITE' });
  });
});

describe('heat maps', () => {
  const picture = { data: new Uint8Array(200 * 100).fill(90), width: 200, height: 100, mode: 'L' as const };

  it("hold the overlay in the picture's own pixels and a legend below", async () => {
    const file = await heatMapFile(addon, picture, map, {
      low: 0,
      high: 1,
      mapThreshold: 0.5,
      format: 'png',
    });
    const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 200, height: 126 });
    const overlay = await addon.overlay(picture, map.data, 4, 3, 0, 1);
    expect(Buffer.compare(data.subarray(0, overlay.length), Buffer.from(overlay))).toBe(0);
  });

  it('use one scale: the same value has the same colour in every picture', async () => {
    const style = { low: 0, high: 2, mapThreshold: null, format: 'png' as const };
    const brighter = new AnomalyMap({ data: map.data.map((value) => value + 1), width: 4, height: 3 }, addon);
    const top = async (shown: AnomalyMap, x: number) => {
      const { data } = await sharp(await heatMapFile(addon, picture, shown, style))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      return data[3 * (99 * 200 + x)];
    };
    expect(await top(map, 199)).toBe((await top(brighter, 0 * 200)) === undefined ? -1 : 128);
    expect(await top(brighter, 199)).toBe(255);
  });
});

it('the outline of a mask is a ring around it', async () => {
  const mask = { data: new Uint8Array(30 * 20), width: 30, height: 20, mode: 'L' as const };
  for (let y = 8; y < 12; y++) mask.data.fill(255, y * 30 + 10, y * 30 + 20);
  const { data, info } = await sharp(await maskOutline(addon, mask, 30, 20))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 30, height: 20, channels: 4 });
  const alpha = (x: number, y: number) => data[4 * (y * 30 + x) + 3];
  expect([alpha(15, 10), alpha(9, 10), alpha(8, 10), alpha(6, 10), alpha(0, 0)]).toEqual([0, 255, 255, 0, 0]);
});

describe('the page', () => {
  const bytes = Buffer.from('x');
  const page = (name: string) =>
    [
      ...pageOf({
        title: '<T>',
        notes: ['a & b'],
        model: 'm"',
        mapThreshold: 0.5,
        legend: bytes,
        pictures: [
          {
            name,
            width: 4,
            height: 3,
            score: 0.5,
            anomalous: true,
            regions: 2,
            original: bytes,
            overlay: bytes,
          },
        ],
      }),
    ].join('');

  it('escapes every text', () => {
    const html = page('<script>alert("1")</script>\' onload=x');
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onload=x');
    expect(html).toContain('<title>&lt;T&gt;</title>');
    expect(escapeHtml('&<>"\'')).toBe('&amp;&lt;&gt;&quot;&#39;');
  });

  it('loads nothing and works in light, dark and print', () => {
    const html = page('a');
    expect(html).toContain("default-src 'none'");
    for (const media of ['prefers-color-scheme: dark', '@media print', 'focus-visible', 'lang="en"'])
      expect(html).toContain(media);
  });
});
