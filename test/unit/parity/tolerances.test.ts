import { describe, expect, it } from 'vitest';
import { toleranceOf } from '../../parity/compare/tolerances.js';

const toy = { size: 'toy', flips: false } as const;
const full = { size: 'full', flips: true } as const;

describe('toleranceOf', () => {
  it('gives each stage its own tolerance', () => {
    const expected: Record<string, number> = {
      'stage.ln_pre': 1e-4,
      'stage.block06.x_ori': 1e-4,
      'stage.vfm.block02': 1.5e-4,
      'stage.dattn.masked': 2e-5,
      'stage.dattn.weights': 2e-5,
      cls_raw: 3e-5,
      'pad_suffix.features_raw': 3e-5,
      patch_norm: 4e-6,
      'static.features_norm': 4e-6,
      pixel_logits: 5e-5,
      score: 1e-5,
      map_gauss: 1e-5,
      'static.block12_first20': 2e-5,
    };
    for (const [key, absolute] of Object.entries(expected))
      expect([key, toleranceOf(key, toy)?.absolute]).toEqual([key, absolute]);
  });

  it('knows no tolerance for an unknown key', () => {
    for (const key of ['stage.block06.y', 'scores', 'map_gauss2', 'stage.dattn.nothing', 'features_raw']) {
      expect([key, toleranceOf(key, toy)]).toEqual([key, undefined]);
    }
    expect(toleranceOf('kept_per_row', toy)).toBeUndefined();
  });

  it('has rows of its own for full size', () => {
    expect(toleranceOf('cls_raw', full)?.absolute).toBe(2e-5);
    expect(toleranceOf('text_features', full)?.absolute).toBe(2.4e-6);
    expect(toleranceOf('block23.x_tokens0to3', full)?.absolute).toBe(7e-5);
  });

  it('allows flips of the hard mask behind it only', () => {
    expect(toleranceOf('pixel_logits', full)?.hardMask).toEqual({ share: 0.995, all: 2e-2 });
    expect(toleranceOf('score', full)?.hardMask).toBeUndefined();
    expect(toleranceOf('cls_raw', full)?.hardMask).toBeUndefined();
    expect(toleranceOf('pixel_logits', toy)?.hardMask).toBeUndefined();
  });
});
