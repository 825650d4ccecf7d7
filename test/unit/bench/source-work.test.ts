/** Which arithmetic a spatial source is counted by. */
import { describe, expect, it } from 'vitest';
import type { WeightFileInfo } from '../../../src/addon/native.js';
import { totalGflop, towerWork } from '../../../src/bench/operations.js';
import { sourceSizes } from '../../../src/bench/source-work.js';

function fileOf(naming: string, shapes: Record<string, number[]>): WeightFileInfo {
  const tensors = Object.entries(shapes).map(([name, shape]) => ({ name, dtype: 'F32', shape, bytes: 0 }));
  return { container: 'safetensors', naming, prefix: '', beside: 0, files: [], metadata: {}, tensors };
}
const vit = {
  'patch_embed.proj.weight': [64, 3, 14, 14],
  pos_embed: [1, 10, 64],
  'blocks.0.mlp.fc1.weight': [128, 64],
};
const countOf = (file: WeightFileInfo) =>
  sourceSizes(file, { width: 64, layers: 1, registers: 2 }, { width: 42, height: 42 }, 14);

describe('sourceSizes', () => {
  it('counts a vision transformer from its own MLP and registers', () => {
    const tower = { width: 64, layers: 1, mlp: 128, patch: 14, registers: 2, patches: 9 };
    expect(countOf(fileOf('dinov2', vit))).toEqual({
      width: 64,
      patches: 9,
      gflop: totalGflop(towerWork(tower)),
      tower,
    });
  });

  it("counts SAM's encoder on its own grid", () => {
    const file = fileOf('sam', {
      ...vit,
      pos_embed: [1, 8, 8, 64],
      'neck.0.weight': [32, 64, 1, 1],
      'blocks.0.attn.rel_pos_h': [15, 64],
    });
    expect(countOf(file)).toMatchObject({ width: 32, patches: 64 });
  });

  it.each(['', 'convnext'])('counts a file of the naming "%s" as nothing', (naming) => {
    expect(() => countOf(fileOf(naming, vit))).toThrow(
      expect.objectContaining({ code: 'E_METHOD', message: expect.stringContaining(`"${naming}"`) }),
    );
  });
});
