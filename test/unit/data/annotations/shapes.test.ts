import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawShapes, type Shape } from '../../../../src/data/annotations/shapes.js';

interface Case {
  name: string;
  width: number;
  height: number;
  segmentation: number[][] | { counts: number[]; size: [number, number] };
  counts: string;
  rows: string[];
}

const { cases } = JSON.parse(readFileSync(new URL('coco-masks.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

const rowsOf = async (shapes: Shape[], width: number, height: number) => {
  const { data } = await drawShapes(shapes, width, height);
  return Array.from({ length: height }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (value) => (value > 0 ? '#' : '.')).join(''),
  );
};

describe('L3: shapes become the pixels that the COCO tools give them', () => {
  it.each(cases)('$name', async ({ width, height, segmentation, counts, rows }) => {
    const shape: Shape = Array.isArray(segmentation)
      ? { label: 'pit', kind: 'polygon', rings: segmentation }
      : { label: 'pit', kind: 'runs', counts: segmentation.counts, width, height };
    expect(await rowsOf([shape], width, height)).toEqual(rows);
    expect(await rowsOf([{ label: 'pit', kind: 'runs', counts, width, height }], width, height)).toEqual(
      rows,
    );
  });

  it('pairs of first pixel and length run down the columns from pixel 1', async () => {
    expect(await rowsOf([{ label: '1', kind: 'pairs', pairs: [1, 2, 6, 1] }], 3, 4)).toEqual([
      '#..',
      '##.',
      '...',
      '...',
    ]);
  });

  it.each([
    ['runs of another size', { kind: 'runs', counts: [5], width: 2, height: 3 }],
    ['runs that end too early', { kind: 'runs', counts: [3, 2], width: 4, height: 4 }],
    ['runs that are too long', { kind: 'runs', counts: [3, 99], width: 4, height: 4 }],
    ['no whole numbers', { kind: 'runs', counts: [1.5, 2], width: 4, height: 4 }],
    ['another text', { kind: 'runs', counts: '\u0001', width: 4, height: 4 }],
    ['half a pair', { kind: 'pairs', pairs: [1, 2, 3] }],
    ['pixels outside', { kind: 'pairs', pairs: [16, 2] }],
  ])('%s are refused', async (_, shape) => {
    await expect(drawShapes([{ label: '', ...shape } as Shape], 4, 4)).rejects.toThrow();
  });
});
