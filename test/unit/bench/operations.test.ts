import { describe, expect, it } from 'vitest';
import type { WeightFileInfo } from '../../../src/addon/native.js';
import {
  type CraneSizes,
  craneWork,
  totalGflop,
  towerSource,
  towerWork,
} from '../../../src/bench/operations.js';
import { samSizes } from '../../../src/bench/sam-work.js';

/** ViT-L/14 at 518 x 518 with E-Attn in 19 blocks: the sizes of the published model (method.md 1 and 3). */
const crane: CraneSizes = {
  vision: { width: 1024, layers: 24, mlp: 4096, patch: 14, registers: 0, patches: 37 * 37 },
  jointWidth: 768,
  eAttn: { kind: 'qq+kk+vv', layers: 19 },
};
const dinov2 = { width: 768, layers: 12, mlp: 3072, patch: 14, registers: 4, patches: 37 * 37 };
const gflopOf = (parts: { part: string; gflop: number }[], name: string) =>
  parts.find(({ part }) => part === name)?.gflop;

describe('the arithmetic of a picture', () => {
  // Computed by hand from N = 1370, width 1024, 24 and 19 blocks; the parts of Crane's published sizes.
  it.each([
    ['plain linears', 827.5],
    ['plain attention', 184.5],
    ['E-Attn scores', 219.1],
    ['E-Attn values', 73.0],
    ['E-Attn projection', 54.6],
  ])('Crane: %s take %f GFLOP', (name, gflop) => {
    expect(gflopOf(craneWork(crane), name)).toBeCloseTo(gflop, 1);
  });

  it('Crane takes about 1360 GFLOP, Crane+ about 1675', () => {
    expect(totalGflop(craneWork(crane)) / 1360).toBeCloseTo(1, 2);
    const plus = craneWork({ ...crane, dAttn: { source: towerSource(dinov2), blocks: 1 } });
    expect(totalGflop(plus) / 1675).toBeCloseTo(1, 2);
    expect(gflopOf(plus, 'spatial source')).toBeCloseTo(233.4 + 69.6 + 1.2, 0);
    expect(gflopOf(plus, 'D-Attn similarity')).toBeCloseTo(2.9, 1);
    expect(gflopOf(plus, 'D-Attn values')).toBeCloseTo(3.8, 1);
  });

  it('a tower without a second stream takes its linears, its attention and its patches', () => {
    expect(totalGflop(towerWork(crane.vision))).toBeCloseTo(827.5 + 184.5 + 1.7, 0);
  });

  it.each([
    ['vv', 1],
    ['kk', 1],
    ['qq', 1],
    ['qq+kk', 2],
    ['qq+kk+vv', 3],
    ['(q+k+v)^2', 3],
  ] as const)('E-Attn of kind %s takes %i products for its scores', (kind, products) => {
    const one = 2e-9 * 19 * 1370 ** 2 * 1024;
    const parts = craneWork({ ...crane, eAttn: { kind, layers: 19 } });
    expect(gflopOf(parts, 'E-Attn scores')! / one).toBeCloseTo(products, 9);
    expect(gflopOf(parts, 'E-Attn values')! / one).toBeCloseTo(1, 9);
  });

  it('registers are tokens, but no patches', () => {
    const without = craneWork(crane);
    const more = craneWork({ ...crane, vision: { ...crane.vision, registers: 4 } });
    expect(gflopOf(more, 'plain linears')! / gflopOf(without, 'plain linears')!).toBeCloseTo(1374 / 1370, 9);
    expect(gflopOf(more, 'patches')).toBe(gflopOf(without, 'patches'));
  });
});

describe("the arithmetic of SAM's image encoder", () => {
  /** Shapes of ViT-B: 12 blocks, windows of 14 x 14 but in four of them, a grid of 64 x 64. */
  function samFile(names: { block: string; positions: string; neck: string }): WeightFileInfo {
    const tensors = [
      [`${names.block.startsWith('visual') ? 'visual.patch' : 'patch_embed.proj'}.weight`, [768, 3, 16, 16]],
      [names.positions, names.positions.endsWith('grid') ? [64, 64, 768] : [1, 64, 64, 768]],
      [names.neck, [256, 768, 1, 1]],
      ...Array.from({ length: 12 }, (_, at) => [
        [`${names.block.replace('#', String(at))}rel_pos_h`, [at % 3 === 2 ? 127 : 27, 64]],
        [
          `${names.block.replace('#', String(at)).replace('attn.', '')}${names.block.includes('attn') ? 'mlp.lin1' : 'fc1'}.weight`,
          [3072, 768],
        ],
      ]).flat(),
    ] as [string, number[]][];
    return {
      container: 'torch-zip',
      naming: names.block.startsWith('visual') ? 'canonical' : 'sam',
      prefix: '',
      beside: 0,
      files: [],
      metadata: {},
      tensors: tensors.map(([name, shape]) => ({ name, dtype: 'F32', shape, bytes: 0 })),
    };
  }

  it.each([
    ['as released', { block: 'blocks.#.attn.', positions: 'pos_embed', neck: 'neck.0.weight' }],
    ['converted', { block: 'visual.blocks.#.', positions: 'visual.pos_grid', neck: 'visual.neck.reduce' }],
  ])('%s: products of weights and of attention, windows filled up', (_, names) => {
    const sam = samSizes(samFile(names))!;
    expect(sam).toMatchObject({ width: 256, patches: 4096 });
    // MLPs 12 x 19.33, projections 8 x 11.56 and 4 x 9.66, scores and values 8 x 1.47 and 4 x 25.8, relative
    // positions 8 x 0.105 and 4 x 0.40, neck 3.2, patches 2.4: 10^9 multiply-adds
    const multiplyAdds =
      12 * 19.33 + 8 * 11.56 + 4 * 9.66 + 8 * 1.475 + 4 * 25.77 + 8 * 0.105 + 4 * 0.403 + 5.6;
    expect(sam.gflop / (2 * multiplyAdds)).toBeCloseTo(1, 2);
  });

  it('another file is none of it', () => {
    expect(
      samSizes({
        container: 'safetensors',
        naming: 'dinov2',
        prefix: '',
        beside: 0,
        files: [],
        metadata: {},
        tensors: [],
      }),
    ).toBeUndefined();
  });
});
