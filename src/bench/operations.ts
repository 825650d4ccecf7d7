/**
 * The arithmetic of one picture, counted from the sizes of the towers as the method states it (method.md 3 and 4): a
 * multiply-add is two operations; exponentials, LayerNorm and activations are not counted. Whoever computes the same
 * scores with less is above 100 % of the machine's rate, and that is meant: the count does not depend on who computes.
 */
import type { EAttnKind } from '../addon/native.js';
import { product, type TowerSizes, type WorkPart } from '../methods/operation-counts.js';

export type { TowerSizes, WorkPart } from '../methods/operation-counts.js';

export interface CraneSizes {
  vision: TowerSizes;
  /** of the space that pictures and texts share */
  jointWidth: number;
  eAttn: { kind: EAttnKind; layers: number };
  /** the spatial source and in how many blocks D-Attn runs */
  dAttn?: { source: SourceSizes; blocks: number };
}

/** What D-Attn has to know of a spatial source. */
export interface SourceSizes {
  /** of a patch's feature */
  width: number;
  patches: number;
  /** of one picture */
  gflop: number;
  /** where it is an ordinary vision transformer */
  tower?: TowerSizes;
}

export function towerSource(tower: TowerSizes): SourceSizes {
  return { width: tower.width, patches: tower.patches, gflop: totalGflop(towerWork(tower)), tower };
}

/** A vision transformer's forward pass without a second stream: what peers compute. */
export function towerWork(tower: TowerSizes): WorkPart[] {
  const { width, layers, mlp, patches, patch } = tower;
  const n = tokens(tower);
  return [
    // qkv and output projection: 4 width^2 weights; the MLP's two matrices: 2 width mlp
    {
      part: 'plain linears',
      gflop: product(layers, n, 4 * width * width) + product(layers, n, 2 * width * mlp),
    },
    // scores and the product with V
    { part: 'plain attention', gflop: 2 * product(layers, n, n, width) },
    { part: 'patches', gflop: product(patches, 3 * patch * patch, width) },
  ];
}

/** Crane's or Crane+'s forward pass of one picture; the texts are constant and not counted. */
export function craneWork({ vision, jointWidth, eAttn, dAttn }: CraneSizes): WorkPart[] {
  const { width, patches } = vision;
  const n = tokens(vision);
  const parts = [
    ...towerWork(vision),
    { part: 'E-Attn scores', gflop: product(eAttn.layers, scoreProducts(eAttn.kind), n, n, width) },
    { part: 'E-Attn values', gflop: product(eAttn.layers, n, n, width) },
    { part: 'E-Attn projection', gflop: product(eAttn.layers, n, width, width) },
    { part: 'features and logits', gflop: product(n, width, jointWidth) + product(patches, jointWidth, 2) },
  ];
  if (!dAttn) return parts;
  const { source, blocks } = dAttn;
  const grid = source.patches;
  return [
    ...parts,
    { part: 'spatial source', gflop: source.gflop },
    { part: 'D-Attn similarity', gflop: product(blocks, grid, grid, source.width) },
    { part: 'D-Attn values', gflop: product(blocks, grid, grid, width) },
    // V at the patches, W_o and the projection to the joint space at the source's grid
    {
      part: 'D-Attn projections',
      gflop:
        product(blocks, patches, width, width) + product(blocks, grid, width * width + width * jointWidth),
    },
  ];
}

export function totalGflop(parts: readonly WorkPart[]): number {
  return parts.reduce((sum, { gflop }) => sum + gflop, 0);
}

/** Products of [N, width] with [width, N] that a kind takes; the joined kind correlates three times the width once. */
function scoreProducts(kind: EAttnKind): number {
  if (kind === '(q+k+v)^2') return 3;
  return kind.split('+').length;
}

function tokens({ patches, registers }: TowerSizes): number {
  return patches + 1 + registers;
}
