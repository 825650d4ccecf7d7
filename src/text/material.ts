/** What contexts are made from (addon/native.ts, Material), for methods that compare with one text of each kind. */
import type { Material } from '../addon/native.js';
import { tokenize } from '../text/tokenizer.js';

/** The group of texts that stand for a normal picture, and for an anomalous one. */
export type Texts = { normal: string; anomalous: string };

/** @param prompts file of the learned vectors; undefined: there is none yet */
export async function pairMaterial(texts: Texts, prompts: string | undefined): Promise<Material> {
  const [normal, anomalous] = await Promise.all([tokenize(texts.normal), tokenize(texts.anomalous)]);
  return {
    texts: { normal: [normal.ids], anomalous: [anomalous.ids] },
    files: prompts === undefined ? {} : { prompts },
  };
}
