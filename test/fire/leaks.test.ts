/** A small instance of leaks.mjs: shared libraries hold no more after scores, loads, banks and trainings; 64 lost bytes are found. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lines, root, run } from '../cli/crane-native.js';

async function measured(...args: string[]) {
  const finished = await run(process.execPath, [join(root, 'test', 'fire', 'leaks.mjs'), ...args]);
  const told = lines(finished) as { work: string; native: number[]; grows: string[] }[];
  expect(told.length, finished.stderr).toBeGreaterThan(0);
  return told;
}

it('nothing of shared libraries is lost by scores, loads, banks, trainings', async () => {
  const works = ['score', 'load', 'bank', 'train'];
  const told = await measured(...works, '--times', '40');
  expect(told.map(({ work }) => work)).toEqual(works);
  // Where so few are measured, only what is exact tells: V8 takes and gives back as it likes.
  for (const { work, native, grows } of told)
    expect(grows, `${work}: ${native.join(', ')}`).not.toContain('native');
}, 900_000);

it('64 bytes that are lost each time are found', async () => {
  const [told] = await measured('score', '--times', '40', '--plant', 'native');
  expect(told!.grows).toContain('native');
  expect(told!.native).toEqual([64, 64, 64]);
}, 600_000);
