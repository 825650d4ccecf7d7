/** The toy model that the tests of a file serve. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';

/** Makes and removes it: to be called once, at the top of a file. */
export function toyModelOfFile(): { readonly folder: string; readonly model: string } {
  const made = { folder: '', model: '' };
  beforeAll(async () => {
    made.folder = await makeToyFolder();
    await makeToyModel(made.folder);
    made.model = join(made.folder, 'model.json');
  });
  afterAll(() => rm(made.folder, { recursive: true, force: true }));
  return made;
}
