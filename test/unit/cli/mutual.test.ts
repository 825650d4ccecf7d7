import { access, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';

let folder: string;
let model: string;
const at = (...parts: string[]) => join(folder, ...parts);
const greys = [0, 10, 30, 100];
beforeAll(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(at('toy model'))).folder;
  await mkdir(at('pictures', 'more'), { recursive: true });
  for (const [i, grey] of greys.entries())
    await writePicture(at('pictures', ...(i === 3 ? ['more'] : []), `${i}.png`), grey);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const score = (...args: string[]) =>
  runInProcess(
    [
      'score',
      '--model',
      model,
      '--mutual',
      '--allow-equal-scores',
      '--no-timings',
      '--format',
      'jsonl',
      ...args,
    ],
    {
      env: { CRANE_CACHE: at('cache') },
    },
  );
const resultsIn = (out: string) => readFile(join(out, 'results.jsonl'), 'utf8');
const learned = (run: Awaited<ReturnType<typeof score>>) =>
  run.addon.log.prompts.filter(({ material }) => material.normals);
const nearestOf = (own: number, all: readonly number[]) =>
  Math.min(...all.filter((grey) => grey !== own).map((grey) => Math.abs(grey - own))) / 255;

describe('score --mutual', () => {
  it('compares exactly the pictures that are scored, each read off the towers once, upright, and says what it assumes', async () => {
    const run = await score(at('pictures'));
    expect(run.code).toBe(0);
    // Not the one of the subfolder.
    expect(run.lines().map((line) => line['score'])).toEqual(
      [0, 10, 30].map((grey) => expect.closeTo(nearestOf(grey, [0, 10, 30]), 5)),
    );
    expect(run.stderr).toContain('each of 3 pictures is compared with the others: most have to be good');
    expect(learned(run)).toHaveLength(3);
    expect(learned(run)[0]!.method).toMatchObject({ name: 'normals', turns: 1 });
    const { method } = run.addon.log.passes[0]!;
    expect(method).toMatchObject({ name: 'normals', mutual: true });
    const again = await score(
      at('pictures'),
      '--recursive',
      '--mutual-share',
      '0.5',
      '--mutual-neighbourhoods',
      '1,3',
    );
    expect(again.stderr).toContain('each of 4 pictures');
    expect(again.addon.log.passes[0]!.method).toMatchObject({
      mutualShare: 0.5,
      mutualNeighbourhoods: [1, 3],
    });
    // The patches were kept while the run went on.
    expect(await readdir(at('cache', 'mutual'))).toEqual([]);
  });

  it('refuses what it leaves no room for', async () => {
    for (const flags of [
      ['--normals', at('bank')],
      ['--normals-from', at('pictures')],
      ['--evidence', 'both'],
      ['--false-alarm-rate', '0.2'],
      ['--shard', '1/2'],
      ['--roi', '0,0,2,2'],
      ['--method', 'crane'],
    ]) {
      const run = await score(at('pictures'), ...flags);
      expect(run.code, flags[0]).toBe(2);
      expect(run.stderr).toContain('--mutual');
    }
  });

  it('one picture, or copies of one, is refused; copies among others count once', async () => {
    const one = await score(at('pictures', '0.png'));
    expect(one.code).toBe(4);
    expect(one.stderr).toContain('takes two with different contents: 1 picture');
    await mkdir(at('twice'), { recursive: true });
    for (const name of ['a.png', 'b.png']) await copyFile(at('pictures', '0.png'), at('twice', name));
    const twice = await score(at('twice'));
    expect(twice.code).toBe(4);
    expect(twice.stderr).toContain('2 pictures, the others are copies of one');
    await copyFile(at('pictures', '2.png'), at('twice', 'c.png'));
    const run = await score(at('twice'));
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('1 have the content of another');
    // Not 0: a copy says nothing of a picture.
    expect(run.lines().map((line) => line['score'])).toEqual(
      [1, 2, 3].map(() => expect.closeTo(30 / 255, 5)),
    );
  });

  it('a picture that cannot be read fails alone, and none is compared with it', async () => {
    await mkdir(at('broken'), { recursive: true });
    for (const name of ['0.png', '1.png', '2.png']) await copyFile(at('pictures', name), at('broken', name));
    await writeFile(at('broken', '1b.png'), 'no picture');
    const run = await score(at('broken'));
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('1 cannot be read, and none is compared with them');
    const lines = run.lines();
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatchObject({ error: { code: 'E_IMAGE_DECODE' } });
    expect(lines[1]!['score']).toBeCloseTo(nearestOf(10, [0, 10, 30]), 5);
  });

  it('goes on where it was ended, without another pass, and gives the same lines', async () => {
    const whole = at('whole');
    expect((await score(at('pictures'), '--out', whole)).code).toBe(0);
    expect(await readdir(whole)).toEqual(['results.jsonl']);
    const ended = at('ended');
    // So far it came: two of three are scored, and what is kept is there.
    expect((await score(at('pictures'), '--out', ended, '--limit', '2')).code).toBe(0);
    expect(await readdir(join(ended, 'mutual-state'))).toHaveLength(3);
    const fresh = await score(at('pictures'), '--out', whole);
    expect(fresh.code).toBe(2);
    expect(fresh.stderr).toContain('E_EXISTS');
    expect(learned(fresh), 'before an hour of work').toHaveLength(0);
    const rest = await score(at('pictures'), '--out', ended, '--resume');
    expect(rest.code).toBe(0);
    expect(learned(rest)).toHaveLength(0);
    expect(await resultsIn(ended)).toBe(await resultsIn(whole));
    await expect(access(join(ended, 'mutual-state'))).rejects.toThrow();
  });

  it('does not go on where a picture changed or another came: its scores would be other ones', async () => {
    const out = at('other');
    await mkdir(at('some'), { recursive: true });
    for (const name of ['0.png', '1.png', '2.png']) await copyFile(at('pictures', name), at('some', name));
    expect((await score(at('some'), '--out', out, '--limit', '2')).code).toBe(0);
    await writePicture(at('some', '2.png'), 31);
    const run = await score(at('some'), '--out', out, '--resume');
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('its results come from');
  });

  it('a damaged file of patches is learned anew', async () => {
    const out = at('damaged');
    expect((await score(at('pictures'), '--out', out, '--limit', '2')).code).toBe(0);
    const [first] = await readdir(join(out, 'mutual-state'));
    await writeFile(join(out, 'mutual-state', first!), 'half');
    const run = await score(at('pictures'), '--out', out, '--resume');
    expect(run.code).toBe(0);
    expect(learned(run)).toHaveLength(1);
    expect(run.lines()).toHaveLength(1);
  });

  it('takes the paths of standard input, and one that leads nowhere fails alone', async () => {
    const paths = ['0.png', 'none.png', '1.png', '2.png'].map((name) => at('pictures', name));
    const args = ['score', '-', '--model', model, '--mutual', '--allow-equal-scores', '--no-timings'];
    const run = await runInProcess([...args, '--format', 'jsonl'], {
      env: { CRANE_CACHE: at('cache') },
      stdin: [`${paths.join('\n')}\n`],
    });
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('each of 3 pictures')]);
    expect(run.lines().map(({ input }) => input)).toEqual(paths);
    expect(run.lines()[1]).toMatchObject({ error: { code: 'E_INPUT_NOT_FOUND' } });
    expect(run.lines().map(({ score }) => score)).toEqual([
      expect.any(Number),
      undefined,
      expect.any(Number),
      expect.any(Number),
    ]);
  });
});
