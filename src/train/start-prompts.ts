/** What learning begins with: something new, or a file that is learned on; with the sentences that belong to it. */

import type { Material, MethodOptions } from '../addon/native.js';
import type { ClassTexts, Fresh } from '../addon/training.js';
import { sha256OfFile } from '../files/content-hash.js';
import type { Pair } from '../methods/descriptor.js';
import { methodOf } from '../methods/registry.js';
import type { Model } from '../models/model-json.js';
import { promptFile } from '../models/prompt-file.js';
import { defaultSet, type Learned, learnedAs } from '../models/prompt-set.js';
import type { TrainSettings } from '../runs/train-settings.js';
import type { TrainedTexts } from '../runs/training-fingerprint.js';
import { materialOf } from '../text/material.js';

export interface StartPrompts {
  source: (Material & ClassTexts) | Fresh;
  texts: TrainedTexts;
  /** of the file that is learned on; undefined: something new */
  sha256: string | undefined;
}

/**
 * @param classes what the pictures show: of a method whose texts name it, each gets its sentences
 * @throws CraneError E_PROMPTS when there is nothing to begin with
 */
export async function startPrompts(
  settings: TrainSettings,
  model: Model,
  method: MethodOptions,
  classes: readonly string[],
): Promise<StartPrompts> {
  const descriptor = methodOf(method);
  const { start, seed, contextRows } = settings;
  const { texts } = learned(model, start, method);
  const file = start === undefined ? undefined : await promptFile(model, start);
  const pair = texts && file === undefined && contextRows !== undefined ? blank(texts, contextRows) : texts;
  const of = (className: string | undefined) =>
    materialOf(descriptor.material({ texts: pair, file, className }));
  const names = descriptor.namesClass ? [...new Set(classes)].sort() : [];
  const byClass = await Promise.all(names.map(async (name) => [name, await of(name)] as const));
  const material =
    byClass.length > 0
      ? {
          ...byClass[0]![1],
          texts: {},
          classes: Object.fromEntries(byClass.map(([name, { texts }]) => [name, texts])),
        }
      : await of(undefined);
  return {
    source: file === undefined ? { seed, ...material } : material,
    texts: pair ?? { classes: names },
    sha256: file === undefined ? undefined : await sha256OfFile(file),
  };
}

/** Something new has the sentences of the method's default set. */
function learned(model: Model, start: string | undefined, method: MethodOptions): Learned {
  const descriptor = methodOf(method);
  const name = start ?? defaultSet(model, descriptor.name);
  return name === undefined
    ? { set: undefined, texts: descriptor.learned?.texts }
    : learnedAs(model, name, descriptor);
}

/** The texts begin with one X for each learned vector: the vectors take their places (method.md 5). */
function blank({ normal, anomalous }: Pair, contextRows: number): Pair {
  const withPlaceholders = (text: string) => 'X '.repeat(contextRows) + text.replace(/^(X )+/, '');
  return { normal: withPlaceholders(normal), anomalous: withPlaceholders(anomalous) };
}
