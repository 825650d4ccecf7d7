/** Operations of one picture: by hand from the published sizes, and none that is not a number. */
import { describe, expect, it } from 'vitest';
import type { WorkSizes } from '../../../src/methods/operation-counts.js';
import { defaultMethod, findMethod, methodNames } from '../../../src/methods/registry.js';

/** ViT-B/16-plus at 240 x 240. */
const plus: WorkSizes = {
  vision: { width: 896, layers: 12, mlp: 3584, patch: 16, registers: 0, patches: 225 },
  grid: { width: 15, height: 15 },
  text: { width: 640, layers: 12 },
  jointWidth: 640,
};
/** ViT-L/14 at 518 x 518. */
const large: WorkSizes = {
  vision: { width: 1024, layers: 24, mlp: 4096, patch: 14, registers: 0, patches: 1369 },
  grid: { width: 37, height: 37 },
  text: { width: 768, layers: 12 },
  jointWidth: 768,
};
const partsOf = (name: string, sizes = plus, change: object = {}) => {
  const parts = findMethod(name).work!({ ...defaultMethod(name), ...change }, sizes);
  return Object.fromEntries(parts.map(({ part, gflop }) => [part, gflop]));
};

describe('by hand', () => {
  // A row of a block takes 4 w^2 + 2 w 4 w multiply-adds: 0.2312 GFLOP in 12 blocks.
  it('WinCLIP: 196 windows of 5 rows, 169 of 10', () => {
    const parts = partsOf('winclip');
    expect(parts['windows of 2 x 2']).toBeCloseTo(226.59 + 0.21, 1);
    expect(parts['windows of 3 x 3']).toBeCloseTo(390.75 + 0.73, 1);
    expect(Object.keys(partsOf('winclip', plus, { windowSides: [2, 16] }))).not.toContain(
      'windows of 16 x 16',
    );
  });

  it('AnoVL: 226 rows of the picture and of 21 views', () => {
    const parts = partsOf('anovl');
    expect(parts['plain stream']).toBeCloseTo(52.25 + 2.2, 1);
    expect(parts['views']! / parts['plain stream']!).toBeCloseTo(21);
    expect(parts['v-v stream']).toBeCloseTo(6.55, 1);
    expect(parts['adapter']).toBeCloseTo(16.5, 1);
    expect(partsOf('anovl', plus, { augment: false, adapter: 'none' })).toMatchObject({
      views: 0,
      adapter: 0,
    });
  });
});

describe('at 518 pixels', () => {
  // N = 1370 rows: 827.5 of linears, 184.5 of attention in 24 blocks
  const plain = 827.5 + 184.5;

  it('VAND: plain blocks and four heads', () => {
    const parts = partsOf('vand', large);
    expect(parts['plain stream']).toBeCloseTo(plain, 0);
    expect(parts['heads']).toBeCloseTo(8.6, 1);
  });

  it('AnomalyCLIP: and a v-v stream in 19 of them', () => {
    const parts = partsOf('anomalyclip', large);
    expect(parts['plain stream']).toBeCloseTo(plain, 0);
    // as much as Crane's E-Attn with one correlation
    expect(parts['v-v stream']).toBeCloseTo(73 + 73 + 54.6, 0);
  });

  it('AdaCLIP: two passes, and 48 sentences of each picture', () => {
    const parts = partsOf('adaclip', large);
    expect(parts['plain pass']! + parts['prompted pass']!).toBeCloseTo(2 * plain + 4.4, 0);
    expect(parts['sentences']).toBeCloseTo(130.9, 0);
  });
});

it.each(methodNames().filter((name) => findMethod(name).work))('%s: every part is a number', (name) => {
  for (const gflop of Object.values(partsOf(name))) expect(gflop).toBeGreaterThanOrEqual(0);
});
