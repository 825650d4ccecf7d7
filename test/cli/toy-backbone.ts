/** The model of `weights synth toy-backbone` in a folder of the test's own: what it says means nothing. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyToyBackbone } from '../../dist/models/weights/toy-backbone.js';

/** @returns the model's folder */
export async function makeToyBackbone(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.json'), await copyToyBackbone(folder));
  return folder;
}
