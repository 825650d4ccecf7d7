/** All scores equal: hardly ever meant, so that each door that knows all of them stops, after everything is written. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { ScoreWatch } from '../../../src/engine/score-watch.js';
import { evaluateDataSets } from '../../../src/evaluate/evaluate-data-sets.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { errorOf, useWorkplace } from '../train/workplace.js';

const work = useWorkplace();

/** Pictures of one mean, which is all that the addon of the tests sees, in another order each; `level` makes them constant. */
async function writePictures(folder: string, names: readonly string[], level?: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [at, name] of names.entries()) {
    const data = Buffer.alloc(16 * 16, level ?? 40);
    if (level === undefined) data[at] = 200;
    const comment = { IFD0: { ImageDescription: name } };
    const raw = { width: 16, height: 16, channels: 1 } as const;
    await sharp(data, { raw }).toColourspace('b-w').withExif(comment).png().toFile(join(folder, name));
  }
  return folder;
}
async function writeSet(root: string): Promise<string> {
  await writePictures(join(root, 'test', 'part', 'good'), ['0.png', '1.png']);
  await writePictures(join(root, 'test', 'part', 'bad'), ['2.png', '3.png', '4.png']);
  return root;
}
const run = (args: string[]) =>
  runInProcess([...args, '--model', work.model.folder], { env: work.env, addon: makeTestAddon() });

describe('score', () => {
  it('ends with 3 when everything is written, and with 0 where it is told that it is meant', async () => {
    const pictures = await writePictures(work.at('equal'), ['a.png', 'b.png', 'c.png']);
    const out = work.at('scores');
    const scored = await run(['score', pictures, '--out', out]);
    expect(scored.code).toBe(3);
    expect(scored.lines()).toHaveLength(3);
    expect((await readFile(join(out, 'results.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(3);
    expect(scored.stderr).toMatch(/all 3 pictures have the same score \(0\.\d+\): the files differ/);
    expect(scored.stderr).toContain('--allow-equal-scores');
    const resumed = await run(['score', pictures, '--out', out, '--resume']);
    expect([resumed.code, resumed.lines().length]).toEqual([0, 0]);
    const meant = await run(['score', pictures, '--allow-equal-scores']);
    expect(meant.code).toBe(0);
    expect(meant.stderr).toContain('warning: all 3 pictures have the same score');
    expect((await run(['score', pictures, '--json'])).stderr).toContain('"E_SCORES_EQUAL"');
  });

  it('explains pictures that are constant, and does not refuse one file under several names', async () => {
    const constant = await writePictures(work.at('constant'), ['a.png', 'b.png'], 77);
    const flat = await run(['score', constant]);
    expect(flat.code).toBe(3);
    expect(flat.stderr).toContain('of 2 of them every pixel has the level 77 of 255');
    await copyFile(join(constant, 'a.png'), join(constant, 'b.png'));
    const one = await run(['score', constant]);
    expect(one.code).toBe(0);
    expect(one.stderr).toContain('warning: all 2 pictures have the same score');
    expect(one.stderr).toContain('every one is the same file');
  });

  it('says nothing of one picture, or where a score differs', async () => {
    const pictures = await writePictures(work.at('differs'), ['a.png', 'b.png']);
    expect((await run(['score', join(pictures, 'a.png')])).stderr).not.toContain('same score');
    await writePictures(pictures, ['c.png'], 90);
    const scored = await run(['score', pictures]);
    expect([scored.code, scored.stderr.includes('same score')]).toEqual([0, false]);
  });
});

describe('test', () => {
  it('prints and writes its tables first', async () => {
    const set = await writeSet(work.at('even'));
    const out = work.at('tested');
    const args = ['test', set, '--out', out, '--bootstrap', '0', '--no-report'];
    const tested = await run(args);
    expect(tested.code).toBe(3);
    expect(tested.stdout).toMatch(/part +2 +3 +50\.0/);
    expect(tested.stderr).toMatch(/even: all 5 pictures have the same score/);
    const record = JSON.parse(await readFile(join(out, 'run.json'), 'utf8')) as { status: string };
    expect(record.status).toBe('complete');
    const meant = await run([...args, '--force', '--allow-equal-scores']);
    expect(meant.code).toBe(0);
    expect(meant.stdout).toContain('all 5 pictures have the same score');
  });

  it('throws in the library, unless allowEqualScores', async () => {
    const data = await writeSet(work.at('library'));
    const engine = await openEngine(makeTestAddon(), work.model);
    const options = { engine, data, bootstrap: 0 };
    expect(await errorOf(evaluateDataSets(options))).toMatchObject({ code: 'E_SCORES_EQUAL' });
    expect((await evaluateDataSets({ ...options, allowEqualScores: true })).dataSets).toHaveLength(1);
    await engine.dispose();
  });
});

describe('calibrate', () => {
  it('takes no threshold from normal pictures of one score, unless it is told to', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `${at}.png`);
    const pictures = await writePictures(work.at('normal'), names);
    const args = ['calibrate', pictures, '--normal-only', '--false-alarm-rate', '0.1'];
    const refused = await run(args);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toContain('all 12 pictures have the same score');
    expect((await run([...args, '--allow-equal-scores'])).code).toBe(0);
  });

  it('says why labelled pictures cannot be parted', async () => {
    const refused = await run(['calibrate', await writeSet(work.at('labelled')), '--allow-equal-scores']);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/same score .*the files differ.*no threshold parts them/);
  });
});

it('a watch keeps a bounded number of pictures, and none once scores differ', async () => {
  const watch = new ScoreWatch();
  for (let at = 0; at < 3000; at++) watch.add({ score: 0.5, file: Uint8Array.of(at % 256), notes: [] });
  expect(await watch.look()).toMatchObject({
    areOneFile: false,
    message: expect.stringContaining('all 3000'),
  });
  watch.add({ score: 0.25, file: undefined, notes: [] });
  watch.add({ score: 0.5, file: undefined, notes: [] });
  expect(await watch.look()).toBeUndefined();
  const file = work.at('file');
  await writeFile(file, 'x');
  const same = new ScoreWatch();
  for (let at = 0; at < 2; at++) same.add({ score: 0.5, file, notes: [] });
  expect(await same.look()).toMatchObject({ areOneFile: true });
});
