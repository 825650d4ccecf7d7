/** A toy model and a few pictures, for tests of `score`; the folder goes with the last test of the file. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { type CliRun, type CliSurroundings, runInProcess } from './run-in-process.js';

export class ScoringWorkplace {
  folder = '';
  model = '';
  /** with `a.png`, `b.png`, `sub/a.png` and a text */
  pictures = '';

  at(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  score(args: string[], surroundings?: CliSurroundings): Promise<CliRun> {
    return runInProcess(['score', '--model', this.model, ...args], surroundings);
  }
}

export function useScoringWorkplace(): ScoringWorkplace {
  const work = new ScoringWorkplace();
  beforeAll(async () => {
    work.folder = await makeToyFolder();
    work.model = (await makeToyModel(work.at('toy model'))).folder;
    work.pictures = work.at('pictures ü');
    await mkdir(join(work.pictures, 'sub'), { recursive: true });
    await writePicture(join(work.pictures, 'b.png'), 200);
    await writePicture(join(work.pictures, 'a.png'), 50);
    await writePicture(join(work.pictures, 'sub', 'a.png'), 100);
    await writeFile(join(work.pictures, 'note.txt'), 'not a picture');
  });
  afterAll(() => rm(work.folder, { recursive: true, force: true }));
  return work;
}

export const inputsOf = (run: CliRun) => run.lines().map(({ input }) => input);
export const codeOf = (stderr: string) =>
  (JSON.parse(stderr) as { error: { code: string; message: string; hint?: string } }).error;
