/** What learning begins with: new prompts, or those of a file. */

import type { PromptSource } from '../addon/native.js';
import type { FreshPrompts } from '../addon/training.js';
import { CraneError } from '../errors.js';
import { sha256OfFile } from '../files/content-hash.js';
import { isThere } from '../files/write-whole.js';
import type { Model } from '../models/model-json.js';
import { modelFile } from '../models/model-json.js';
import type { TrainSettings } from '../runs/train-settings.js';
import type { TrainedTexts } from '../runs/training-fingerprint.js';
import { tokenize } from '../text/tokenizer.js';

export interface StartPrompts {
  source: PromptSource | FreshPrompts;
  texts: TrainedTexts;
  /** of the file that is learned on; undefined: new prompts */
  sha256: string | undefined;
}

/** @throws CraneError E_PROMPTS when the file to begin with is missing */
export async function startPrompts(settings: TrainSettings, model: Model): Promise<StartPrompts> {
  const { sets } = model.prompts;
  const { start, seed, contextRows, deepBlocks, deepTokens } = settings;
  const isSet = start !== undefined && Object.hasOwn(sets, start);
  const set = isSet ? sets[start]! : sets[model.prompts.default]!;
  if (start === undefined) {
    const texts = {
      normal: withPlaceholders(set.normal, contextRows),
      anomalous: withPlaceholders(set.anomalous, contextRows),
    };
    const ids = await idsOf(texts);
    return { source: { seed, contextRows, deepBlocks, deepTokens, ...ids }, texts, sha256: undefined };
  }
  const path = isSet ? modelFile(model, set.file) : start;
  if (!(await isThere(path))) {
    throw new CraneError('E_PROMPTS', `${start}: neither a prompt set of ${model.name} nor a file`, {
      hint: `the model has ${Object.keys(sets).join(', ')}`,
    });
  }
  const texts = { normal: set.normal, anomalous: set.anomalous };
  return { source: { path, ...(await idsOf(texts)) }, texts, sha256: await sha256OfFile(path) };
}

async function idsOf({ normal, anomalous }: StartPrompts['texts']) {
  const [normalIds, anomalousIds] = await Promise.all([tokenize(normal), tokenize(anomalous)]);
  return { normalIds: normalIds.ids, anomalousIds: anomalousIds.ids };
}

/** The texts begin with one X for each learned vector: the vectors take their places (method.md 5). */
function withPlaceholders(text: string, contextRows: number): string {
  return 'X '.repeat(contextRows) + text.replace(/^(X )+/, '');
}
