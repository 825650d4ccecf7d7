/** What learning begins with: new prompts, or those of a file. */

import type { Material } from '../addon/native.js';
import type { Fresh } from '../addon/training.js';
import { CraneError } from '../errors.js';
import { sha256OfFile } from '../files/content-hash.js';
import { isThere } from '../files/write-whole.js';
import type { Model } from '../models/model-json.js';
import { modelFile } from '../models/model-json.js';
import type { TrainSettings } from '../runs/train-settings.js';
import type { TrainedTexts } from '../runs/training-fingerprint.js';
import { pairMaterial } from '../text/material.js';

export interface StartPrompts {
  source: Material | Fresh;
  texts: TrainedTexts;
  /** of the file that is learned on; undefined: new prompts */
  sha256: string | undefined;
}

/** @throws CraneError E_PROMPTS when the file to begin with is missing */
export async function startPrompts(settings: TrainSettings, model: Model): Promise<StartPrompts> {
  const { sets } = model.prompts;
  const { start, seed, contextRows } = settings;
  const isSet = start !== undefined && Object.hasOwn(sets, start);
  const set = isSet ? sets[start]! : sets[model.prompts.default]!;
  if (start === undefined) {
    const texts = {
      normal: withPlaceholders(set.normal, contextRows),
      anomalous: withPlaceholders(set.anomalous, contextRows),
    };
    return { source: { seed, ...(await pairMaterial(texts, undefined)) }, texts, sha256: undefined };
  }
  const path = isSet ? modelFile(model, set.file) : start;
  if (!(await isThere(path))) {
    throw new CraneError('E_PROMPTS', `${start}: neither a prompt set of ${model.name} nor a file`, {
      hint: `the model has ${Object.keys(sets).join(', ')}`,
    });
  }
  const texts = { normal: set.normal, anomalous: set.anomalous };
  return { source: await pairMaterial(texts, path), texts, sha256: await sha256OfFile(path) };
}

/** The texts begin with one X for each learned vector: the vectors take their places (method.md 5). */
function withPlaceholders(text: string, contextRows: number): string {
  return 'X '.repeat(contextRows) + text.replace(/^(X )+/, '');
}
