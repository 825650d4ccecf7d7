/** The arithmetic of SAM's image encoder, which attends within windows in most of its blocks; counted as in operations.ts. */
import type { WeightFileInfo } from '../addon/native.js';
import { product } from '../methods/operation-counts.js';
import { sizesOf } from '../models/weights/sizes.js';
import type { SourceSizes } from './operations.js';

/** undefined: the file holds something else. */
export function samSizes(file: WeightFileInfo): SourceSizes | undefined {
  const tower = sizesOf(file).vision;
  const shapeOf = (pattern: RegExp) => file.tensors.find(({ name }) => pattern.test(name))?.shape;
  const channels = shapeOf(/neck\.(?:0\.weight|reduce)$/)?.[0];
  if (!tower || channels === undefined) return undefined;
  const { width, mlp, patch, grid } = tower;
  const patches = grid * grid;
  const blocks = file.tensors
    .filter(({ name }) => /blocks\.\d+\.(?:attn\.)?rel_pos_h$/.test(name))
    // 2 s - 1 relative positions: windows of s x s
    .map(({ shape }) => blockGflop(width, grid, (shape[0]! + 1) / 2) + product(patches, 2 * width * mlp));
  const neck = product(patches, width * channels + 9 * channels * channels);
  const gflop =
    blocks.reduce((sum, block) => sum + block, 0) + neck + product(patches, 3 * patch * patch, width);
  return { width: channels, patches, gflop };
}

/** Attention with its linears; the grid is filled up to whole windows, and their tokens are projected too. */
function blockGflop(width: number, grid: number, window: number): number {
  const windows = Math.ceil(grid / window) ** 2;
  const tokens = window * window;
  const all = windows * tokens;
  const linears = product(all, 4 * width * width);
  const attention = 2 * product(windows, tokens, tokens, width);
  // each query with the relative positions of the rows, and of the columns
  const relative = 2 * product(all, window, width);
  return linears + attention + relative;
}
