/** The full-size model with random weights, from the cache folder, or made there first (`weights synth`). */
import { join } from 'node:path';
import { type Model, readModelJson } from '../engine/model-json.js';
import type { NativeAddon } from '../engine/native.js';
import { CraneError } from '../errors.js';
import { isThere } from '../output/write-whole.js';
import { craneKinds, isCraneKind } from '../weights/crane-models.js';
import { modelFolder } from '../weights/model-folder.js';
import { synthModel, synthName } from '../weights/synth-model.js';

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
  if (!isCraneKind(kind)) {
    throw new CraneError('E_USAGE', `there are no random weights for "${kind}"`, {
      hint: `--synthetic goes with --model ${craneKinds.join(' or --model ')}`,
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
