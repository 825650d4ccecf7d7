/**
 * crane-mini's vision tower beside a text tower by recipe that knows every word: a toy backbone for methods whose sentences
 * name a class. What such a model says means nothing.
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './crane-native.js';

const k_width = 384;
const k_context = 77;
const k_vocabulary = 49408;

/** @returns the model's folder */
export async function makeMiniBackbone(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const mini = join(root, 'models', 'crane-mini');
  const described = JSON.parse(await readFile(join(mini, 'model.json'), 'utf8'));
  for (const file of ['weights.safetensors', 'prompts.safetensors'])
    await copyFile(join(mini, file), join(folder, file));
  const { golden: _, ...model } = described;
  const [recipe] = model.recipes;
  const whole: Record<string, number[]> = {
    'text.tokens': [k_vocabulary, k_width],
    'text.pos': [k_context, k_width],
  };
  const tensors = recipe.tensors
    .filter(({ name }: { name: string }) => name !== 'text.token_ids')
    .map((tensor: { name: string; shape?: number[] }) => ({
      ...tensor,
      shape: whole[tensor.name] ?? tensor.shape,
    }));
  const json = { ...model, name: 'mini-backbone', recipes: [{ ...recipe, tensors }], mapThreshold: null };
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  return folder;
}
