/**
 * The arithmetic of one picture, counted from the sizes of the towers as a method states it: a multiply-add is two
 * operations; exponentials, LayerNorm and activations are not counted.
 */

export interface TowerSizes {
  width: number;
  layers: number;
  /** width inside the MLP */
  mlp: number;
  /** side of a patch in pixels */
  patch: number;
  registers: number;
  /** patches of one picture */
  patches: number;
}

export interface WorkPart {
  part: string;
  gflop: number;
}

export interface WorkSizes {
  vision: TowerSizes;
  /** of the patches */
  grid: { width: number; height: number };
  text: { width: number; layers: number };
  /** of the space that pictures and texts share */
  jointWidth: number;
}

/** Of a product with so many multiply-adds. */
export function product(...sides: number[]): number {
  return 2e-9 * sides.reduce((all, side) => all * side, 1);
}

/** All blocks over `count` sequences of `rows` rows. */
export function passWork(
  { width, layers, mlp }: Pick<TowerSizes, 'width' | 'layers' | 'mlp'>,
  count: number,
  rows: number,
): number {
  // qkv and output projection: 4 width^2 weights; the MLP's two matrices: 2 width mlp; scores and the product with V
  const linears = product(layers, count, rows, 4 * width * width + 2 * width * mlp);
  return linears + 2 * product(layers, count, rows, rows, width);
}

/** The patch embedding of `count` pictures. */
export function embeddingWork({ width, patch, patches }: TowerSizes, count = 1): number {
  return product(count, patches, 3 * patch * patch, width);
}
