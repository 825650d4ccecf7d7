/** The full-size model with random weights, from the cache folder, or made there first (`weights synth`). */
import { join } from 'node:path';
import type { NativeAddon } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { isThere } from '../files/write-whole.js';
import { type Model, readModelJson } from '../models/model-json.js';
import { craneVariantNames, isCraneVariant } from '../models/model-names.js';
import { modelFolder } from '../models/weights/model-folder.js';
import { synthModel, synthName } from '../models/weights/synth-model.js';

/** @throws CraneError E_USAGE, E_IO_WRITE, E_CANCELLED */
export async function syntheticModel(
  kind: string,
  {
    env,
    loadAddon,
    stop,
    log,
  }: {
    env: NodeJS.ProcessEnv;
    loadAddon: () => Promise<NativeAddon>;
    stop: AbortSignal;
    log(line: string): void;
  },
): Promise<Model> {
  if (!isCraneVariant(kind)) {
    throw new CraneError('E_USAGE', `there are no random weights for "${kind}"`, {
      hint: `--synthetic goes with --model ${craneVariantNames.join(' or --model ')}`,
    });
  }
  const folder = await modelFolder(synthName(kind), env);
  const description = join(folder, 'model.json');
  if (!(await isThere(description))) {
    log(`making random weights of full size, once, in ${folder}`);
    await synthModel(kind, { out: folder, overwrite: false, addon: await loadAddon(), stop, log });
  }
  return readModelJson(description);
}
