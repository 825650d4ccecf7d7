/**
 * The sizes of the towers in a weight file, read from the shapes of its tensors: what `weights inspect` shows and
 * what a download without a published checksum is compared with. Nothing is computed with these numbers.
 */
import type { TensorInfo, WeightFileInfo } from '../../addon/native.js';

export interface VisionTowerSizes {
  width: number;
  layers: number;
  /** heads of 64 channels (method.md 1) */
  heads: number;
  /** side of a patch in pixels */
  patch: number;
  /** side of the stored position table in patches */
  grid: number;
  registers: number;
  /** width inside the MLP */
  mlp: number;
}

export interface TextTowerSizes {
  width: number;
  layers: number;
  heads: number;
  /** longest text in tokens */
  context: number;
  /** rows of the token table */
  vocabulary: number;
  mlp: number;
}

export interface PromptSetSizes {
  width: number;
  /** learned vectors of each text */
  context: number;
  /** layers with learned tokens of their own, and how many each */
  deepSets: number;
  deepTokens: number;
}

export interface WeightSizes {
  vision?: VisionTowerSizes;
  text?: TextTowerSizes;
  prompts?: PromptSetSizes;
  /** of the space that pictures and texts share */
  jointWidth?: number;
  /** numbers in all tensors together */
  values: number;
}

/** Where a naming family keeps what the sizes are read from; `blocks` is followed by the block's number. */
interface TowerNames {
  /** [width, 3, p, p] or, of a text tower, the token table [vocabulary, width] */
  first: string;
  positions: string;
  blocks: string;
  /** of one block: [mlp, width] */
  mlp: string;
  registers?: string;
  /** [width, joint]; with `isTransposed` [joint, width] */
  projection?: { name: string; isTransposed?: boolean };
}

/** Builds of vision towers: the plain transformer, and SAM's encoder with its windows and neck. */
export type VisionKind = 'vit' | 'sam';

interface VisionNames extends TowerNames {
  kind: VisionKind;
}

interface FamilyNames {
  vision?: VisionNames;
  text?: TowerNames;
}

const openai: Required<FamilyNames> = {
  vision: {
    kind: 'vit',
    first: 'visual.conv1.weight',
    positions: 'visual.positional_embedding',
    blocks: 'visual.transformer.resblocks.',
    mlp: 'mlp.c_fc.weight',
    projection: { name: 'visual.proj' },
  },
  text: {
    first: 'token_embedding.weight',
    positions: 'positional_embedding',
    blocks: 'transformer.resblocks.',
    mlp: 'mlp.c_fc.weight',
    projection: { name: 'text_projection' },
  },
};

const dinov2: VisionNames = {
  kind: 'vit',
  first: 'patch_embed.proj.weight',
  positions: 'pos_embed',
  blocks: 'blocks.',
  mlp: 'mlp.fc1.weight',
  registers: 'register_tokens',
};

const sam: VisionNames = { ...dinov2, kind: 'sam', mlp: 'mlp.lin1.weight' };

/** By the family's name in native/weights/families; several where a family has several spellings. */
const families: Record<string, FamilyNames[]> = {
  'openai-clip': [openai],
  'open-clip': [
    openai,
    {
      vision: openai.vision,
      text: {
        ...openai.text,
        first: 'text.token_embedding.weight',
        positions: 'text.positional_embedding',
        blocks: 'text.transformer.resblocks.',
        projection: { name: 'text.text_projection' },
      },
    },
  ],
  'hf-clip': [
    {
      vision: {
        kind: 'vit',
        first: 'vision_model.embeddings.patch_embedding.weight',
        positions: 'vision_model.embeddings.position_embedding.weight',
        blocks: 'vision_model.encoder.layers.',
        mlp: 'mlp.fc1.weight',
        projection: { name: 'visual_projection.weight', isTransposed: true },
      },
      text: {
        first: 'text_model.embeddings.token_embedding.weight',
        positions: 'text_model.embeddings.position_embedding.weight',
        blocks: 'text_model.encoder.layers.',
        mlp: 'mlp.fc1.weight',
        projection: { name: 'text_projection.weight', isTransposed: true },
      },
    },
  ],
  dinov2: [{ vision: dinov2 }],
  'hf-dinov2': [
    {
      vision: {
        kind: 'vit',
        first: 'embeddings.patch_embeddings.projection.weight',
        positions: 'embeddings.position_embeddings',
        blocks: 'encoder.layer.',
        mlp: 'mlp.fc1.weight',
        registers: 'embeddings.register_tokens',
      },
    },
  ],
  sam: [
    {
      vision: {
        ...sam,
        first: 'image_encoder.patch_embed.proj.weight',
        positions: 'image_encoder.pos_embed',
        blocks: 'image_encoder.blocks.',
      },
    },
    { vision: sam },
  ],
  canonical: [
    {
      vision: {
        kind: 'vit',
        first: 'visual.patch.weight',
        positions: 'visual.pos',
        blocks: 'visual.blocks.',
        mlp: 'fc1.weight',
        registers: 'visual.registers',
        projection: { name: 'visual.proj' },
      },
      text: {
        first: 'text.tokens',
        positions: 'text.pos',
        blocks: 'text.blocks.',
        mlp: 'fc1.weight',
        projection: { name: 'text.proj' },
      },
    },
    {
      // a converted SAM encoder, whose position table is a grid without CLS
      vision: {
        kind: 'sam',
        first: 'visual.patch.weight',
        positions: 'visual.pos_grid',
        blocks: 'visual.blocks.',
        mlp: 'fc1.weight',
      },
    },
  ],
};

/** Never throws: a file that lacks what a size is read from just does not show it. */
export function sizesOf({ naming, tensors }: WeightFileInfo): WeightSizes {
  const sizes: WeightSizes = { values: tensors.reduce((sum, { shape }) => sum + count(shape), 0) };
  for (const names of families[naming] ?? []) {
    const vision = names.vision && visionSizes(tensors, names.vision);
    const text = names.text && textSizes(tensors, names.text);
    if (vision) sizes.vision ??= vision.sizes;
    if (text) sizes.text ??= text.sizes;
    const joint = vision?.joint ?? text?.joint;
    if (joint !== undefined) sizes.jointWidth ??= joint;
  }
  const prompts = promptSizes(tensors);
  if (prompts) sizes.prompts = prompts;
  return sizes;
}

/** undefined: the file holds no vision tower of a known naming. */
export function visionKindOf({ naming, tensors }: WeightFileInfo): VisionKind | undefined {
  return families[naming]?.find(({ vision }) => vision && visionSizes(tensors, vision))?.vision?.kind;
}

function visionSizes(tensors: TensorInfo[], names: TowerNames) {
  const tower = openTower(tensors, names);
  const [width, , patch] = tower?.first ?? [];
  const positions = tower?.shapeOf(names.positions);
  if (!tower || !positions || width === undefined || patch === undefined) return undefined;
  const isGrid = positions.length >= 3 && positions.at(-2) === positions.at(-3);
  const grid = isGrid ? positions.at(-2)! : Math.floor(Math.sqrt(positions.at(-2) ?? 0));
  const registers = (names.registers && tower.shapeOf(names.registers)?.at(-2)) || 0;
  const sizes: VisionTowerSizes = { width, ...tower.blocks(width), patch, grid, registers };
  return { sizes, joint: tower.joint };
}

function textSizes(tensors: TensorInfo[], names: TowerNames) {
  const tower = openTower(tensors, names);
  const [vocabulary, width] = tower?.first ?? [];
  const context = tower?.shapeOf(names.positions)?.at(-2);
  if (!tower || vocabulary === undefined || width === undefined || context === undefined) return undefined;
  const sizes: TextTowerSizes = { width, ...tower.blocks(width), context, vocabulary };
  return { sizes, joint: tower.joint };
}

/** What stands before a tower's first tensor ("module.", "backbone.") stands before all of them. */
function openTower(tensors: TensorInfo[], names: TowerNames) {
  const first = tensors.find(({ name }) => name === names.first || name.endsWith(`.${names.first}`));
  if (!first) return undefined;
  const prefix = first.name.slice(0, first.name.length - names.first.length);
  const shapeOf = (name: string) => tensors.find((tensor) => tensor.name === prefix + name)?.shape;
  const { projection } = names;
  return {
    first: first.shape,
    shapeOf,
    joint: projection && shapeOf(projection.name)?.[projection.isTransposed ? 0 : 1],
    blocks: (width: number) => {
      const start = prefix + names.blocks;
      const numbers = tensors.flatMap(({ name }) =>
        name.startsWith(start) ? [Number(/^\d+/.exec(name.slice(start.length))?.[0] ?? -1)] : [],
      );
      const mlp = shapeOf(`${names.blocks}0.${names.mlp}`)?.[0] ?? 0;
      const last = numbers.reduce((most, number) => Math.max(most, number), -1);
      return { layers: last + 1, heads: Math.floor(width / 64), mlp };
    },
  };
}

function promptSizes(tensors: TensorInfo[]): PromptSetSizes | undefined {
  const context = tensors.find(({ name }) => /(^|\.)ctx_pos$/.test(name))?.shape;
  if (!context) return undefined;
  const deep = tensors.filter(({ name }) => /(^|\.)compound_prompts_text\.\d+$/.test(name));
  return {
    width: context.at(-1) ?? 0,
    context: context.at(-2) ?? 0,
    deepSets: deep.length,
    deepTokens: deep[0]?.shape.at(-2) ?? 0,
  };
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
