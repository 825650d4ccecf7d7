/** What the compared systems learn, by the recipe (recipe.ts), at full size and under their authors' names. */
import type { SynthTensor } from '../../addon/native.js';
import type { LearnedPart } from '../model-names.js';
import { fullSizes, promptTensors } from './recipe.js';
import { numbered, type RecipeRow, toTensor } from './recipe-rows.js';

/** One a level: blocks 6, 12, 18, 24. */
const k_levels = 4;
/** Rows and blocks of AdaCLIP's prompts. */
const k_rows = 5;
const k_blocks = 4;

/** Spread as a new linear layer's: 1/sqrt(1024). */
const k_exponent = 5;

export const learnedRecipes = {
  vand: () => made('fullA/vand', `${k_levels} linear heads`, vandRows()),
  anomalyclip: () => ({
    what: 'two texts of 12 vectors, 8 layers of 4',
    tensors: promptTensors(fullSizes.prompts, 'fullA/anomalyclip'),
  }),
  adaclip: () => made('fullA/adaclip', 'prompts, their generators and linear heads', adaclipRows()),
} as const satisfies Record<LearnedPart, () => { what: string; tensors: SynthTensor[] }>;

function made(salt: string, what: string, rows: RecipeRow[]): { what: string; tensors: SynthTensor[] } {
  return { what, tensors: rows.map((row) => toTensor(salt, row)) };
}

/** docs/methods/vand.md */
function vandRows(): RecipeRow[] {
  const { vision, joint } = fullSizes.clip;
  return numbered(k_levels, (n) => linear(`trainable_linearlayer.fc.${n}`, joint, vision.width));
}

/** docs/methods/adaclip.md */
function adaclipRows(): RecipeRow[] {
  const { vision, text, joint } = fullSizes.clip;
  const prompts = (name: string, width: number) =>
    numbered(k_blocks, (n) => [[`clip_model.${name}.static_prompts.${n}`, [k_rows, width], k_exponent, 0]]);
  const heads = (name: string, count: number, out: number, into: number) =>
    numbered(count, (n) => linear(`clip_model.${name}.head.${n}`, out, into));
  return [
    ...prompts('text_prompter', text.width),
    ...prompts('visual_prompter', vision.width),
    ...heads('patch_token_layer', k_levels, joint, vision.width),
    ...heads('cls_token_layer', 1, joint, joint),
    ...heads('dynamic_visual_prompt_generator', k_rows, vision.width, joint),
    ...heads('dynamic_text_prompt_generator', k_rows, text.width, joint),
  ];
}

function linear(at: string, out: number, into: number): RecipeRow[] {
  return [
    [`${at}.weight`, [out, into], k_exponent, 0],
    [`${at}.bias`, [out], k_exponent, 0],
  ];
}
