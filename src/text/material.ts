/** Sentences as token ids: what contexts are made from (addon/material.ts). */
import type { Material } from '../addon/native.js';
import { tokenize } from './tokenizer.js';

export async function materialOf({
  texts,
  files,
}: {
  texts: Record<string, string[]>;
  files: Record<string, string>;
}): Promise<Material> {
  const groups = Object.entries(texts).map(async ([group, sentences]) => {
    const tokens = await Promise.all(sentences.map(tokenize));
    return [group, tokens.map(({ ids }) => ids)] as const;
  });
  return { texts: Object.fromEntries(await Promise.all(groups)), files };
}

/** @param prompts file of the learned vectors; undefined: there is none yet */
export function pairMaterial(
  { normal, anomalous }: { normal: string; anomalous: string },
  prompts: string | undefined,
): Promise<Material> {
  const texts = { normal: [normal], anomalous: [anomalous] };
  return materialOf({ texts, files: prompts === undefined ? {} : { prompts } });
}
