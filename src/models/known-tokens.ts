/** Which words a model's text tower knows: a small model has rows for a few tokens alone. */
import type { NativeAddon } from '../addon/native.js';
import { type Model, modelFile } from './model-json.js';

const k_fewTokens = 'text.token_ids';

/** Ids of the tokens that have rows; undefined: all of the vocabulary. @throws CraneError E_WEIGHTS_* */
export async function knownTokens(
  addon: NativeAddon,
  model: Model,
): Promise<ReadonlySet<number> | undefined> {
  const rows = (model.recipes ?? []).flatMap(({ tensors }) => tensors);
  const made = rows.find(({ name }) => name === k_fewTokens)?.values;
  if (made !== undefined) return new Set(made);
  for (const { file } of model.weights) {
    const path = modelFile(model, file);
    const { tensors } = await addon.inspectWeights(path);
    if (!tensors.some(({ name }) => name === k_fewTokens)) continue;
    const { data } = await addon.readTensor(path, k_fewTokens);
    return new Set(Array.from(data, Number));
  }
  return undefined;
}
