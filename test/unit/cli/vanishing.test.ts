/** Files that go or change between the moment they are listed and the moment they are read: each is told of, and the run goes on. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScanAccount } from '../../../src/scan/scan-account.js';
import { walkFolder } from '../../../src/sources/walk-folder.js';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';

const k_pictures = 40;

let folder: string;
let pictures: string;
const nameOf = (at: number) => `p${String(at).padStart(2, '0')}.png`;
beforeEach(async () => {
  folder = await makeToyFolder();
  await makeToyModel(join(folder, 'model'));
  pictures = join(folder, 'pictures');
  await mkdir(join(pictures, 'zz'), { recursive: true });
  for (let at = 0; at < k_pictures; at++) await writePicture(join(pictures, nameOf(at)), 10 + at);
  await writePicture(join(pictures, 'zz', 'last.png'), 200);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** While the first picture is scored; no more than a few are read ahead then. */
function onFirstPass(work: () => Promise<void>) {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

describe('score', () => {
  it.each([[[]], [['--recursive']]])('goes on where files and a folder go or change %j', async (more) => {
    const gate = onFirstPass(async () => {
      await rm(join(pictures, nameOf(30)));
      await writeFile(join(pictures, nameOf(31)), '');
      await writeFile(join(pictures, nameOf(32)), 'no picture any more');
      await rm(join(pictures, 'zz'), { recursive: true });
    });
    const args = ['score', '--model', join(folder, 'model'), pictures, '--batch', '1', ...more];
    const run = await runInProcess(args, { gate });
    expect(run.code).toBe(3);
    const failed = run.lines().filter(({ error }) => error !== undefined);
    expect(failed.map(({ input, error }) => [input, (error as { code: string }).code])).toEqual([
      [join(pictures, nameOf(30)), 'E_INPUT_NOT_FOUND'],
      [join(pictures, nameOf(31)), 'E_IMAGE_EMPTY'],
      [join(pictures, nameOf(32)), 'E_IMAGE_DECODE'],
    ]);
    expect(run.lines()).toHaveLength(k_pictures);
    expect(run.stderr).toContain(
      more.length === 0
        ? '40 pictures; left out: 1 subfolder'
        : `40 pictures; left out: 1 folder that went while it was looked through (${join(pictures, 'zz')})`,
    );
  });

  it('counts as pictures what --limit takes, not the one after', async () => {
    const model = ['score', '--model', join(folder, 'model')];
    const run = await runInProcess([...model, pictures, '--limit', '3']);
    expect(run.lines()).toHaveLength(3);
    expect(run.stderr).toMatch(/^3 pictures\n/m);
    const all = await runInProcess([...model, pictures, '--limit', String(k_pictures)]);
    expect(all.stderr).toMatch(/^40 pictures; left out: 1 subfolder/m);
  });
});

describe('a folder that is looked through', () => {
  it.each([false, true])('may lose a folder that links are followed from: %s', async (followLinks) => {
    const account = new ScanAccount();
    const options = { recursive: true, followLinks, includeMasks: false, exclude: [], account };
    const seen: string[] = [];
    for await (const { shown } of walkFolder(pictures, options)) {
      if (seen.push(shown) === 1) await rm(join(pictures, 'zz'), { recursive: true });
    }
    expect(seen).toHaveLength(k_pictures);
    expect(account.report().leftOut).toMatchObject([{ reason: 'gone', count: 1 }]);
  });

  it('that is not there itself is an error', async () => {
    const options = { recursive: true, followLinks: false, includeMasks: false, exclude: [] };
    const walk = walkFolder(join(folder, 'nowhere'), { ...options, account: new ScanAccount() });
    await expect(walk.next()).rejects.toMatchObject({ code: 'E_INPUT_NOT_FOUND' });
  });
});
