/** The demo's second part: samples compared with a few good pictures of their set, which the model's folder holds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Engine } from '../../engine/engine.js';
import { isFailed, type PictureScore } from '../../engine/result.js';
import { CraneError } from '../../errors.js';
import { type Model, modelFile } from '../../models/model-json.js';
import { nameBelow } from './name-below.js';

const k_folder = 'normals';
const goodSchema = z.record(z.string(), z.array(nameBelow).min(1));

/** Names of good pictures by set; none where the model has none. @throws CraneError E_MODEL_JSON */
export async function readGood(model: Model): Promise<Record<string, string[]>> {
  const path = modelFile(model, join(k_folder, 'normals.json'));
  try {
    return goodSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CraneError('E_MODEL_JSON', `${path}: not a list of good pictures by set`, { cause });
  }
}

export interface ByGood {
  scored: PictureScore;
  /** good pictures that it was compared with */
  count: number;
  mapThreshold: number | null;
}

/**
 * Each picture compared with the good ones of its set, at the lowest rate of false alarms that so few hold.
 * @param onStep called for every good picture learned and every picture scored
 * @throws CraneError as the engine
 */
export async function scoreByGood(
  engine: Engine,
  model: Model,
  good: readonly string[],
  inputs: { input: string; name: string }[],
  { signal, onStep }: { signal: AbortSignal; onStep: () => void },
): Promise<ByGood[]> {
  const paths = good.map((name) => join(model.folder, k_folder, name));
  const bank = await engine.learnNormals(paths, { signal, onProgress: onStep });
  try {
    const falseAlarmRate = 1 / (good.length + 1);
    const options = { normals: bank, falseAlarmRate };
    const { mapThreshold } = await engine.settledSettings(options);
    const done: ByGood[] = [];
    for await (const scored of engine.scoreMany(inputs, { ...options, map: true, regions: true, signal })) {
      if (isFailed(scored))
        throw new CraneError(scored.error.code, scored.error.message, { hint: scored.error.hint });
      done.push({ scored, count: good.length, mapThreshold });
      onStep();
    }
    return done;
  } finally {
    bank.remove();
  }
}
