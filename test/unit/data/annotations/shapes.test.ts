import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runsOfPairs } from '../../../../src/data/annotations/rle.js';
import { drawShapes, type Shape } from '../../../../src/data/annotations/shapes.js';
import { classNames } from '../../../../src/data/annotations/yolo.js';
import { SeededGenerator } from '../../../../src/data/seeded-generator.js';

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

describe('pairs of first pixel and length', () => {
  const generator = SeededGenerator.of(3);
  it('mark what each of them says, in any order, over one another, of no length', () => {
    for (let count = 0; count < 500; count++) {
      const pixels = 1 + generator.below(40);
      const pairs = Array.from({ length: generator.below(9) }, () => {
        const first = generator.below(pixels);
        return [first + 1, generator.below(pixels - first + 1)];
      }).flat();
      const want = new Array<number>(pixels).fill(0);
      for (let at = 0; at < pairs.length; at += 2)
        want.fill(1, pairs[at]! - 1, pairs[at]! - 1 + pairs[at + 1]!);
      const marks = runsOfPairs(pairs, pixels).flatMap((length, at) => Array<number>(length).fill(at % 2));
      expect([pairs, marks]).toEqual([pairs, want]);
    }
  });

  it('cost what they are, not what they mark', () => {
    const pixels = 4e9;
    const pairs = Array.from({ length: 100_000 }, (_, at) => [at + 1, pixels - at]).flat();
    expect(runsOfPairs(pairs, pixels)).toEqual([0, pixels]);
  });
});

describe("YOLO's names of classes", () => {
  it.each([
    ['names: [pit, "dent"]\n', ['pit', 'dent']],
    ['path: x\nnames:\n  0: pit\n  2: dent\nnc: 3\n', ['pit', undefined, 'dent']],
    ['names:\n- pit\n- dent\n', ['pit', 'dent']],
    ['names:\r\n  - pit\r\n', ['pit']],
    ['nc: 3\n', []],
    ['names: [pit\n'.repeat(200_000), []],
  ])('%# are read', (text, names) => {
    expect(Array.from(classNames(text, true))).toEqual(names);
  });
});
