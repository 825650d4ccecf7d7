/** The recipes (recipe.ts) of the spatial sources, under the names of their authors. */
import type { SynthTensor } from '../../addon/native.js';
import type { VisionSizes } from '../backbones.js';
import type { SourceKind } from '../model-names.js';
import { layerNorm, numbered, type RecipeRow, toTensor } from './recipe-rows.js';

export interface Dinov2Sizes extends VisionSizes {
  registers: number;
}

export interface SamSizes extends VisionSizes {
  /** side of the windows, in patches */
  window: number;
  /** blocks, from 0, that attend over the whole grid */
  wholeGrid: readonly number[];
  /** channels of the neck */
  out: number;
}

interface SourceRecipe {
  what: string;
  file: string;
  /** decides the values */
  salt: string;
  tensors: (salt: string) => SynthTensor[];
}

/** Heads of every tower here are 64 wide (method.md 1). */
const k_headWidth = 64;

/** The sizes of the published files (method.md 1 and 4). A kind without its row does not compile. */
export const sourceRecipes: Readonly<Record<SourceKind, SourceRecipe>> = {
  dinov2: {
    what: 'DINOv2 ViT-B/14 with 4 registers',
    file: 'dinov2.safetensors',
    salt: 'fullA/dinov2',
    tensors: (salt) => dinov2Tensors({ width: 768, layers: 12, patch: 14, grid: 37, registers: 4 }, salt),
  },
  dino: {
    what: 'DINO ViT-B/8',
    file: 'dino.safetensors',
    salt: 'fullA/dino',
    tensors: (salt) => dinoTensors({ width: 768, layers: 12, patch: 8, grid: 28 }, salt),
  },
  sam: {
    what: "SAM ViT-B's image encoder",
    file: 'sam.safetensors',
    salt: 'fullA/sam',
    tensors: (salt) =>
      samTensors(
        {
          ...{ width: 768, layers: 12, patch: 16, grid: 64 },
          ...{ window: 14, wholeGrid: [2, 5, 8, 11], out: 256 },
        },
        salt,
      ),
  },
};

/** The position table is large, as the authors' is: e = -1 gives values up to 2. */
export function dinov2Tensors(sizes: Dinov2Sizes, salt: string): SynthTensor[] {
  const { width, layers, patch, grid, registers } = sizes;
  const rows: RecipeRow[] = [
    ['cls_token', [1, 1, width], 3, 0],
    ['pos_embed', [1, 1 + grid ** 2, width], -1, 0],
    ['register_tokens', [1, registers, width], 3, 0],
    ['mask_token', [1, width], 3, 0],
    ...patchEmbedding(width, patch),
    ...numbered(layers, (n) => block(`blocks.${n}`, width, { mlp: ['fc1', 'fc2'], hasLayerScale: true })),
    ...layerNorm('norm', width),
  ];
  return rows.map((row) => toTensor(salt, row));
}

/** A plain vision transformer: no registers, no LayerScale. */
export function dinoTensors({ width, layers, patch, grid }: VisionSizes, salt: string): SynthTensor[] {
  const rows: RecipeRow[] = [
    ['cls_token', [1, 1, width], 3, 0],
    ['pos_embed', [1, 1 + grid ** 2, width], 0, 0],
    ...patchEmbedding(width, patch),
    ...numbered(layers, (n) => block(`blocks.${n}`, width, { mlp: ['fc1', 'fc2'] })),
    ...layerNorm('norm', width),
  ];
  return rows.map((row) => toTensor(salt, row));
}

/** Relative positions in each block, as many as the side that it attends over tells apart; a neck of convolutions. */
export function samTensors(sizes: SamSizes, salt: string): SynthTensor[] {
  const { width, layers, patch, grid, window, wholeGrid, out } = sizes;
  const relative = (n: number) => 2 * (wholeGrid.includes(n) ? grid : window) - 1;
  const rows: RecipeRow[] = [
    ['pos_embed', [1, grid, grid, width], 0, 0],
    ...patchEmbedding(width, patch),
    ...numbered(layers, (n) => [
      ...block(`blocks.${n}`, width, { mlp: ['lin1', 'lin2'] }),
      [`blocks.${n}.attn.rel_pos_h`, [relative(n), k_headWidth], 3, 0],
      [`blocks.${n}.attn.rel_pos_w`, [relative(n), k_headWidth], 3, 0],
    ]),
    ['neck.0.weight', [out, width, 1, 1], 4, 0],
    ...layerNorm('neck.1', out),
    ['neck.2.weight', [out, out, 3, 3], 5, 0],
    ...layerNorm('neck.3', out),
  ];
  return rows.map(([name, ...rest]) => toTensor(salt, [`image_encoder.${name}`, ...rest]));
}

function patchEmbedding(width: number, patch: number): RecipeRow[] {
  return [
    ['patch_embed.proj.weight', [width, 3, patch, patch], 4, 0],
    ['patch_embed.proj.bias', [width], 4, 0],
  ];
}

interface BlockParts {
  /** names of its two layers */
  mlp: readonly [string, string];
  hasLayerScale?: true;
}

function block(at: string, width: number, { mlp: [into, outOf], hasLayerScale }: BlockParts): RecipeRow[] {
  const scale = (name: string): RecipeRow[] => (hasLayerScale ? [[`${name}.gamma`, [width], 2, 0.5]] : []);
  const rows: RecipeRow[] = [
    ...layerNorm('norm1', width),
    ['attn.qkv.weight', [3 * width, width], 4, 0],
    ['attn.qkv.bias', [3 * width], 4, 0],
    ['attn.proj.weight', [width, width], 6, 0],
    ['attn.proj.bias', [width], 6, 0],
    ...scale('ls1'),
    ...layerNorm('norm2', width),
    [`mlp.${into}.weight`, [4 * width, width], 4, 0],
    [`mlp.${into}.bias`, [4 * width], 4, 0],
    [`mlp.${outOf}.weight`, [width, 4 * width], 6, 0],
    [`mlp.${outOf}.bias`, [width], 6, 0],
    ...scale('ls2'),
  ];
  return rows.map(([name, ...rest]) => [`${at}.${name}`, ...rest]);
}
