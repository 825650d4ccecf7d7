import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PolygonPen } from '../../../../src/data/annotations/polygon.js';
import { indexAnnotated } from '../../../../src/data/index-annotated.js';
import { SeededGenerator } from '../../../../src/data/seeded-generator.js';
import { greyPng, makeRoot, makeTree } from '../tree.js';
import { drawPlainly } from './plain-polygon.js';

const blank = (width: number, height: number) => ({ data: new Uint8Array(width * height), width, height });

async function drawn(rings: readonly (readonly number[])[], width: number, height: number) {
  const mask = blank(width, height);
  const pen = new PolygonPen(mask);
  for (const ring of rings) await pen.draw(ring);
  return mask.data;
}

function drawnPlainly(rings: readonly (readonly number[])[], width: number, height: number) {
  const mask = blank(width, height);
  for (const ring of rings) drawPlainly(ring, mask);
  return mask.data;
}

describe('a polygon has the pixels that the plain way gives it', () => {
  const generator = SeededGenerator.of(5);
  const between = (low: number, high: number) => low + (high - low) * generator.float();
  const ways: [string, () => number][] = [
    ['anywhere within', () => between(0, 30)],
    ['across the border', () => between(-40, 70)],
    ['far away', () => between(-900, 900)],
    ['on whole pixels, many above one another', () => Math.round(between(-2, 9))],
    ['on halves and fifths', () => Math.round(between(-40, 190)) / (generator.float() < 0.5 ? 2 : 5)],
  ];
  it.each(ways)('with corners %s', async (_, coordinate) => {
    let marked = 0;
    for (let count = 0; count < 400; count++) {
      const [width, height] = [1 + generator.below(40), 1 + generator.below(40)];
      const rings = Array.from({ length: 1 + generator.below(3) }, () =>
        Array.from({ length: 2 * (3 + generator.below(9)) + generator.below(2) }, coordinate),
      );
      const data = await drawn(rings, width, height);
      expect([rings, Buffer.from(data).toString('hex')]).toEqual([
        rings,
        Buffer.from(drawnPlainly(rings, width, height)).toString('hex'),
      ]);
      marked += data.filter((value) => value === 255).length;
    }
    expect(marked).toBeGreaterThan(1000);
  });

  it('of a large picture too, and of large rings', async () => {
    const [width, height] = [700, 500];
    const rings = Array.from({ length: 8 }, () => Array.from({ length: 14 }, () => between(-300, 1000)));
    expect(Buffer.compare(await drawn(rings, width, height), drawnPlainly(rings, width, height))).toBe(0);
  });
});

describe('corners that lie anywhere', () => {
  it('cost what the picture costs', async () => {
    for (const far of [1e7, 1e9, 2 ** 31]) {
      const around = [-far, -far, far, -far, far, far, -far, far];
      expect([...(await drawn([around], 9, 7))]).toEqual(Array(63).fill(255));
      // The triangle below a steep and a flat line: half of the picture.
      const half = await drawn([[-far, -far, far, far, -far, far]], 8, 8);
      expect(half.filter((value) => value === 255).length).toBe(36);
    }
  });

  it.each([1e10, 1e300, Number.POSITIVE_INFINITY, Number.NaN])('but %d is none', async (value) => {
    await expect(drawn([[0, 0, 5, 0, 5, -value, 1, 1]], 9, 9)).rejects.toThrow(/^a coordinate of -?\w+/);
  });
});

it('lets others run while it draws much', async () => {
  let turns = 0;
  let next = setImmediate(function turn() {
    turns++;
    next = setImmediate(turn);
  });
  const width = 1000;
  const zigzag = Array.from({ length: 2000 }, (_, at) => [at % 2 === 0 ? 0 : width, at / 4]).flat();
  await drawn([zigzag], width, 500);
  clearImmediate(next);
  expect(turns).toBeGreaterThan(10);
});

describe('data index --annotations', () => {
  let root: string;
  beforeEach(async () => {
    root = await makeRoot();
  });
  afterEach(() => rm(root, { recursive: true, force: true }));
  const errorOf = (at: string, more = {}) =>
    indexAnnotated(root, join(root, at), { layout: 'auto', overwrite: false, ...more }).then(
      () => undefined,
      ({ code, message }: { code: string; message: string }) => `${code} ${message}`,
    );

  it.each([
    [
      'x.json',
      JSON.stringify({
        images: [{ id: 1, file_name: '1.png' }],
        annotations: [{ image_id: 1, bbox: [0, 0, 1e300, 4] }],
      }),
    ],
    [
      '1.json',
      JSON.stringify({
        shapes: [
          {
            label: '',
            points: [
              [0, 0],
              [9, -1e300],
            ],
            shape_type: 'circle',
          },
        ],
        imagePath: '1.png',
      }),
    ],
    ['1.txt', '0 0.1 0.1 0.9 1e300 0.1 0.9\n'],
    ['labels.txt', '1 1e300 3 0 8 8\n'],
  ])('%s with a coordinate beyond all pictures is refused', async (name, text) => {
    await makeTree(root, { '1.png': await greyPng(90, 20, 16), [name]: text });
    expect(await errorOf(name)).toMatch(/^E_DATA_ANNOTATIONS .*1\.png: a coordinate of/);
  });

  it('makes no mask of a picture that is larger than it may be', async () => {
    const text = JSON.stringify({
      images: [{ id: 1, file_name: '1.png' }],
      annotations: [{ image_id: 1, bbox: [0, 0, 4, 4] }],
    });
    await makeTree(root, { '1.png': await greyPng(90, 20, 16), 'x.json': text });
    expect(await errorOf('x.json', { maxPixels: 319 })).toBe(
      'E_IMAGE_TOO_LARGE 1.png: 20 x 16 pixels, the limit is 319 pixels',
    );
    expect(await errorOf('x.json', { maxPixels: 320 })).toBeUndefined();
  });
});
