/** A whole Crane of toy size with weights by the recipe, and pictures to learn from. JavaScript: plain programs use it too. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { clipText, clipVision, craneMethod, craneTexts } from '../../dist/models/crane-models.js';
import { clipTensors, promptTensors } from '../../dist/models/weights/recipe.js';

const k_width = 64;

/** Two blocks in each tower, 16 patches. @returns the model's folder */
export async function makeTinyModel(folder) {
  await mkdir(folder, { recursive: true });
  const { addon } = await loadAddon();
  const clip = clipTensors(
    {
      vision: { width: k_width, layers: 2, patch: 14, grid: 4 },
      text: { width: k_width, layers: 2, context: 77, vocabulary: 49408 },
      joint: k_width,
    },
    'tiny',
  );
  await addon.synthWeights(join(folder, 'clip.safetensors'), clip, {});
  const prompts = promptTensors({ width: k_width, context: 12, deepSets: 1, deepTokens: 4 }, 'tiny/prompts');
  await addon.synthWeights(join(folder, 'prompts.safetensors'), prompts, {});
  const part = async (file) => ({
    file,
    sha256: createHash('sha256')
      .update(await readFile(join(folder, file)))
      .digest('hex'),
    bytes: (await stat(join(folder, file))).size,
  });
  const { file, sha256 } = await part('prompts.safetensors');
  const model = {
    name: 'tiny',
    version: '1',
    description: 'for tests',
    licence: 'MIT',
    weights: [await part('clip.safetensors')],
    input: { width: 56, height: 56 },
    vision: clipVision,
    text: clipText,
    prompts: { default: 'recipe', sets: { recipe: { file, sha256, learnedOn: [], ...craneTexts } } },
    method: { ...craneMethod('crane'), eAttnLayers: 1, features: [2] },
    threshold: null,
    mapThreshold: null,
  };
  await writeFile(join(folder, 'model.json'), JSON.stringify(model));
  return folder;
}

/** Pictures of noise; half of them have a bright square, marked in a mask. @returns the root of the set */
export async function makeNoiseSet(folder, pictures) {
  const side = 64;
  for (const part of ['test/good', 'test/square', 'ground_truth/square'])
    await mkdir(join(folder, 'part', part), { recursive: true });
  for (let at = 0; at < pictures; at++) {
    const data = createHash('shake256', { outputLength: side * side * 3 })
      .update(String(at))
      .digest();
    const mask = Buffer.alloc(side * side);
    const isAnomalous = at % 2 === 1;
    if (isAnomalous) {
      for (let y = 10 + at; y < 30 + at; y++) {
        mask.fill(255, y * side + 12, y * side + 36);
        data.fill(250, (y * side + 12) * 3, (y * side + 36) * 3);
      }
    }
    const kind = isAnomalous ? 'square' : 'good';
    const raw = { width: side, height: side };
    await sharp(data, { raw: { ...raw, channels: 3 } })
      .png()
      .toFile(join(folder, 'part', 'test', kind, `${at}.png`));
    if (isAnomalous)
      await sharp(mask, { raw: { ...raw, channels: 1 } })
        .png()
        .toFile(join(folder, 'part', 'ground_truth', kind, `${at}_mask.png`));
  }
  return folder;
}
