/**
 * The weights of the benchmark models: full-size towers whose every value is a function of the tensor's name, so
 * that anybody can make the same ones without a download. A tensor is salt, name, shape, exponent e and base;
 * its values are base + (2k - 1023) / 1024 * 2^-e with k = 0 .. 1023 mixed from a hash of "salt:name" and the
 * index (native/weights/synth.h does it). They keep a signal alive through 24 blocks; they recognise nothing.
 */
import type { SynthTensor } from '../../addon/native.js';
import { type BackboneName, backbones, type ClipSizes } from '../backbones.js';
import { layerNorm, numbered, type RecipeRow, toTensor } from './recipe-rows.js';

export interface PromptSizes {
  width: number;
  /** learned vectors at the start of each text */
  context: number;
  /** layers that get learned tokens of their own, and how many each */
  deepSets: number;
  deepTokens: number;
}

/** CLIP ViT-L/14@336 and the prompts that fit (method.md 1 and 5); spatial sources: recipe-sources.ts. */
export const fullSizes = {
  clip: backbones['ViT-L-14-336px'].sizes,
  prompts: { width: 768, context: 12, deepSets: 8, deepTokens: 4 } satisfies PromptSizes,
};

/** Of a backbone's weights; ViT-L/14@336 keeps the one that fixtures were made with. */
export const backboneSalts: Record<BackboneName, string> = {
  'ViT-L-14-336px': 'fullA',
  'ViT-B-16-plus-240': 'fullA/b16-plus',
};

export const fullSalts = {
  clip: backboneSalts['ViT-L-14-336px'],
  prompts: 'fullA/prompt',
};

/** ln(100): what CLIP's temperature was clipped to in its training. */
const k_logitScale = 4.605170249938965;

/**
 * The projections' columns from 48 on are made 16 times smaller: random features in 768 dimensions have almost no
 * cosine contrast, and the softmax of the scores would stay at one half everywhere.
 */
const k_contrast = { columnFrom: 48, columnScale: 1 / 16 };

/** OpenAI's names. Two towers of pre-norm blocks; [w, h] = width and 4 x width. */
export function clipTensors({ vision, text, joint }: ClipSizes, salt: string): SynthTensor[] {
  const rows: RecipeRow[] = [
    ['positional_embedding', [text.context, text.width], 6, 0],
    ['text_projection', [text.width, joint], 5, 0],
    ['logit_scale', [], null, k_logitScale],
    ['visual.class_embedding', [vision.width], 3, 0],
    ['visual.positional_embedding', [1 + vision.grid ** 2, vision.width], 2, 0],
    ['visual.proj', [vision.width, joint], 4, 0],
    ['visual.conv1.weight', [vision.width, 3, vision.patch, vision.patch], 2, 0],
    ...layerNorm('visual.ln_pre', vision.width),
    ...layerNorm('visual.ln_post', vision.width),
    ...numbered(vision.layers, (n) => clipBlock(`visual.transformer.resblocks.${n}`, vision.width, 7)),
    ...numbered(text.layers, (n) => clipBlock(`transformer.resblocks.${n}`, text.width, 5)),
    ['token_embedding.weight', [text.vocabulary, text.width], 5, 0],
    ...layerNorm('ln_final', text.width),
  ];
  return rows.map((row) => {
    const tensor = toTensor(salt, row);
    const isProjection = tensor.name === 'visual.proj' || tensor.name === 'text_projection';
    return isProjection ? { ...tensor, ...k_contrast } : tensor;
  });
}

/** The authors' names of learned prompts (method.md 5). */
export function promptTensors(sizes: PromptSizes, salt: string): SynthTensor[] {
  const { width, context, deepSets, deepTokens } = sizes;
  const rows: RecipeRow[] = [
    ['ctx_pos', [1, 1, context, width], 4, 0],
    ['ctx_neg', [1, 1, context, width], 4, 0],
    ...numbered(deepSets, (n): RecipeRow[] => [[`compound_prompts_text.${n}`, [deepTokens, width], 4, 0]]),
  ];
  return rows.map((row) => toTensor(salt, row));
}

function clipBlock(at: string, width: number, outExponent: number): RecipeRow[] {
  return [
    ['attn.in_proj_weight', [3 * width, width], 4, 0],
    ['attn.in_proj_bias', [3 * width], 4, 0],
    ['attn.out_proj.weight', [width, width], outExponent, 0],
    ['attn.out_proj.bias', [width], 6, 0],
    ...layerNorm('ln_1', width),
    ['mlp.c_fc.weight', [4 * width, width], 4, 0],
    ['mlp.c_fc.bias', [4 * width], 4, 0],
    ['mlp.c_proj.weight', [width, 4 * width], 6, 0],
    ['mlp.c_proj.bias', [width], 6, 0],
    ...layerNorm('ln_2', width),
  ].map(([name, ...rest]) => [`${at}.${name}`, ...rest] as RecipeRow);
}
