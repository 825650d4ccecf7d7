import { access, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';

let folder: string;
let model: string;
let bank: string;
const at = (...parts: string[]) => join(folder, ...parts);
const greys = [0, 10, 30, 100];
beforeAll(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(at('toy model'))).folder;
  await mkdir(at('good', 'more'), { recursive: true });
  for (const [i, grey] of greys.entries())
    await writePicture(at('good', ...(i === 3 ? ['more'] : []), `${i}.png`), grey);
  await mkdir(at('parts'));
  await writePicture(at('parts', 'like.png'), 20);
  await writePicture(at('parts', 'unlike.png'), 240);
  bank = at('part.normals.safetensors');
  expect((await normals('learn', at('good'), '--out', bank, '--model', model)).code).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const normals = (...args: string[]) => runInProcess(['normals', ...args]);
const score = (...args: string[]) =>
  runInProcess(['score', '--model', model, ...args], { env: { CRANE_CACHE: at('cache') } });

describe('normals learn', () => {
  it('takes all pictures of a folder, and says what was left out', async () => {
    await writeFile(at('good', 'note.txt'), 'no picture');
    const run = await normals('learn', at('good'), '--out', at('told'), '--model', model, '--turns', '2');
    expect(run.code).toBe(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(/4 pictures/);
    expect(run.stderr).toContain('a bank of 4 normal pictures');
    const told = await normals('show', at('told'), '--json');
    expect(told.lines()[0]).toMatchObject({ model: 'toy', turns: 2, pictures: { length: 4 } });
  });

  it('of a subspace is shown as one, and takes further pictures', async () => {
    const path = at('subspace.normals');
    const how = ['--model', model, '--bank-kind', 'subspace', '--bank-variance', '0.95'];
    expect((await normals('learn', at('good'), '--out', path, ...how)).code).toBe(0);
    expect((await normals('show', path)).stdout).toContain('a subspace of 95 % of the variance');
    await writePicture(at('further.png'), 77);
    const next = at('next.normals');
    expect((await normals('add', path, at('further.png'), '--out', next, '--model', model)).code).toBe(0);
    const [told] = (await normals('show', next, '--json')).lines();
    expect(told).toMatchObject({ kind: 'subspace', variance: 0.95, pictures: { length: 5 } });
    const idle = await normals('learn', at('good'), '--out', at('x'), ...how.slice(0, 2), ...how.slice(4));
    expect(idle).toMatchObject({ code: 2, stderr: expect.stringContaining('bankVariance') });
  });

  it('of chosen rows is shown as one, and takes no further pictures', async () => {
    const path = at('chosen.normals');
    const how = ['--model', model, '--bank-size', '40', '--bank-precision', 'bfloat16'];
    expect((await normals('learn', at('good'), '--out', path, ...how)).code).toBe(0);
    expect((await normals('show', path)).stdout).toContain('40 chosen rows, bfloat16');
    const run = await normals('add', path, at('further.png'), '--out', at('y'), '--model', model);
    expect(run.stderr).toContain('E_NORMALS');
    expect(run.stderr).toContain('learn it again from all pictures');
    await expect(access(at('y'))).rejects.toThrow();
  });

  it('of the foreground says what was left out, of good pictures and of scored ones', async () => {
    const path = at('foreground.normals');
    const run = await normals('learn', at('good'), '--out', path, '--model', model, '--bank-foreground');
    expect(run.stderr).toContain('background: 16 of 40 patches of the good pictures');
    expect((await normals('show', path)).stdout).toContain('without the background');
    const scored = await score(at('parts'), '--normals', path);
    expect(scored.stderr).toContain('background: 4 patches of 1 of 2 pictures were left out');
    expect(scored.stderr).toMatch(/1 of 2 pictures, for instance .*unlike.png: shows no plain background/);
    expect(scored.lines()).toMatchObject([{ backgroundPatches: 4 }, { backgroundPatches: 0 }]);
    const from = ['--normals-from', at('good'), '--bank-foreground'];
    for (const where of ['kept in', 'found in']) {
      const { stderr } = await runInProcess(['score', '--model', model, at('parts'), ...from], {
        env: { CRANE_CACHE: at('cache of the foreground') },
      });
      expect(stderr).toContain(where);
      expect(stderr).toContain('background: 16 of 40 patches');
    }
    const told = await normals(
      'learn',
      at('parts'),
      '--out',
      at('bright'),
      '--model',
      model,
      '--json',
      ...from.slice(2),
    );
    expect(told.lines()[0]).toMatchObject({ pictures: [{ leftOut: 4, patches: 10 }, { leftOut: 0 }] });
    const again = await normals(
      'learn',
      at('parts'),
      '--out',
      at('bright'),
      '--model',
      model,
      '--force',
      ...from.slice(2),
    );
    expect(again.stderr).toMatch(/1 of 2 good pictures show no plain background.*unlike.png/);
  });

  it('writes over nothing without --force, before it learns', async () => {
    const run = await normals('learn', at('good'), '--out', bank, '--model', model);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('E_EXISTS');
    expect(run.addon.log.opened).toHaveLength(0);
  });

  it('needs pictures and a file', async () => {
    expect((await normals('learn', '--out', at('x'))).stderr).toContain('needs good pictures');
    expect((await normals('learn', at('good'))).stderr).toContain('name the file to write');
    await mkdir(at('empty'), { recursive: true });
    const none = await normals('learn', at('empty'), '--out', at('x'), '--model', model);
    expect(none.code).toBeGreaterThan(0);
    await expect(access(at('x'))).rejects.toThrow();
    expect((await normals('lern')).stderr).toContain('did you mean normals learn?');
  });
});

describe('normals show, check and add', () => {
  it('show lists the pictures', async () => {
    const run = await normals('show', bank);
    expect(run.stdout).toContain('block 3 of the vision tower');
    expect(run.stdout.match(/\.png/g)).toHaveLength(4);
  });

  it('check tells outliers, duplicates and rates', async () => {
    await mkdir(at('odd'), { recursive: true });
    // The first two look alike, and are different files.
    for (const [i, grey] of [50, 50, 52, 55, 57, 60, 250].entries())
      await writePicture(at('odd', `${i}.png`), grey, 32 + 4 * i);
    const odd = at('odd.normals.safetensors');
    await normals('learn', at('odd'), '--out', odd, '--model', model);
    const [report] = (await normals('check', odd, '--model', model, '--json')).lines();
    expect(report).toMatchObject({
      outliers: [at('odd', '6.png')],
      duplicates: [at('odd', '0.png'), at('odd', '1.png')],
      leastRate: 1 / 8,
      needed: { '0.05': 19, '0.01': 99 },
    });
    const run = await normals('check', odd, '--model', model);
    expect(run.stdout).toMatch(/6\.png .*far from all others/);
    expect(run.stdout).toContain(
      '7 pictures hold a false-alarm rate of 0.125 or more; 0.05 needs 19, 0.01 needs 99',
    );
  });

  it('check counts a picture that has a copy in the bank for no rate', async () => {
    const path = at('copies.normals');
    await copyFile(bank, path);
    const file = JSON.parse(await readFile(path, 'utf8'));
    const facts = JSON.parse(file.metadata['crane.normals.facts']);
    facts.pictures[1].sha256 = facts.pictures[0].sha256;
    file.metadata['crane.normals.facts'] = JSON.stringify(facts);
    await writeFile(path, JSON.stringify(file));
    const [report] = (await normals('check', path, '--model', model, '--json')).lines();
    expect(report).toMatchObject({ leastRate: 1 / 3 });
  });

  it('learn counts files of one content once, and says so; so does a folder that score takes', async () => {
    await mkdir(at('twice good'), { recursive: true });
    for (const name of ['a.png', 'b.png', 'c.png'])
      await copyFile(at('good', name === 'c.png' ? '2.png' : '1.png'), at('twice good', name));
    const run = await normals('learn', at('twice good'), '--out', at('once.normals'), '--model', model);
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(
      /1 of 3 pictures, for instance .*b\.png: the content of another one \(.*a\.png\)/,
    );
    expect(run.stderr).toContain('a bank of 2 normal pictures');
    for (const how of ['kept in', 'found in']) {
      const args = ['score', '--model', model, at('parts'), '--normals-from', at('twice good')];
      const scored = await runInProcess(args, { env: { CRANE_CACHE: at('cache of copies') } });
      expect(scored.stderr).toMatch(new RegExp(`bank of 2 normal pictures, ${how}`));
    }
  });

  it('check says that one picture holds no rate', async () => {
    const one = at('one.normals.safetensors');
    await normals('learn', at('good', '0.png'), '--out', one, '--model', model);
    expect((await normals('check', one, '--model', model, '--json')).lines()[0]).toMatchObject({
      leastRate: null,
    });
    expect((await normals('check', one, '--model', model)).stdout).toContain(
      'one picture holds no false-alarm rate: it has no other to be compared with; 0.05 needs 19',
    );
  });

  it('add gives a bank of all, and refuses a picture that is there', async () => {
    const next = at('next.normals.safetensors');
    const run = await normals('add', bank, at('parts'), '--out', next, '--model', model);
    expect(run.code).toBe(0);
    expect((await normals('show', next, '--json')).lines()[0]).toMatchObject({ pictures: { length: 6 } });
    const twice = await normals('add', bank, at('good', '0.png'), '--out', at('twice'), '--model', model);
    expect(twice.code).toBe(2);
    expect(twice.stderr).toContain('is in the bank already');
    await expect(access(at('twice'))).rejects.toThrow();
    // Before anything is learned: a picture that cannot be read has no say yet.
    await writeFile(at('broken.png'), 'no picture');
    const to = ['--out', at('twice'), '--model', model];
    const early = await normals('add', bank, at('broken.png'), at('good', '0.png'), ...to);
    expect(early.stderr).toContain('is in the bank already (1 of 2 pictures are)');
    await copyFile(at('parts', 'like.png'), at('copy.png'));
    const named = await normals('add', bank, at('parts', 'like.png'), at('copy.png'), ...to);
    expect(named.code).toBe(2);
    expect(named.stderr).toMatch(/copy\.png: is there twice, perhaps under another name/);
  });
});

describe('score with normal pictures', () => {
  it('compares with a bank', async () => {
    const run = await score(at('parts'), '--normals', bank);
    expect(run.code).toBe(0);
    const [like, unlike] = run.lines();
    expect(like!['score']).toBeCloseTo(10 / 255, 5);
    expect(unlike!['score']).toBeCloseTo(140 / 255, 5);
    expect(like!['anomalous']).toBeNull();
  });

  it('makes, keeps and names the bank of a folder, once', async () => {
    const first = await score(at('parts'), '--normals-from', at('good'), '--false-alarm-rate', '0.2');
    expect(first.stderr).toMatch(/bank of 4 normal pictures, kept in .*cache.normals./);
    expect(first.lines().map(({ anomalous }) => anomalous)).toEqual([false, true]);
    expect(first.lines()[1]!['regions']).toHaveLength(1);
    expect(await readdir(at('cache', 'normals'))).toHaveLength(1);
    const second = await score(at('parts'), '--normals-from', at('good'), '--false-alarm-rate', '0.2');
    expect(second.stderr).toContain('found in');
    expect(second.addon.log.prompts.filter(({ material }) => material.normals)).toHaveLength(0);
    expect(second.lines().map(({ score }) => score)).toEqual(first.lines().map(({ score }) => score));
    const other = await score(at('parts'), '--normals-from', at('good'), '--turns', '1');
    expect(other.stderr).toContain('kept in');
    // what is kept and damaged is made again
    for (const name of await readdir(at('cache', 'normals')))
      await writeFile(at('cache', 'normals', name), '{}');
    expect((await score(at('parts'), '--normals-from', at('good'))).stderr).toContain('kept in');
  });

  it('ends with 10 when a picture is anomalous and --fail-on-anomaly asks for it', async () => {
    const args = ['--normals', bank, '--false-alarm-rate', '0.2', '--fail-on-anomaly'];
    const bad = await score(at('parts'), ...args);
    expect(bad.code).toBe(10);
    expect(bad.stderr).toContain('1 of 2 pictures are anomalous');
    expect(bad.lines()).toHaveLength(2);
    expect((await score(at('parts', 'like.png'), ...args)).code).toBe(0);
    await writeFile(at('broken.png'), 'no picture');
    const both = await score(at('parts'), at('broken.png'), ...args);
    expect(both.code).toBe(10);
    expect(both.stderr).toContain('1 of 3 inputs failed');
    const none = await score(at('parts'), '--normals', bank, '--fail-on-anomaly');
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('needs a threshold');
    expect(none.lines()).toHaveLength(0);
  });

  it('says before it scores that the pictures do not suffice for a rate', async () => {
    const run = await score(at('parts'), '--normals', bank, '--false-alarm-rate', '0.01');
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('at least 99 are needed');
    expect(run.addon.log.passes).toHaveLength(0);
  });

  it('refuses flags that would change nothing', async () => {
    const usage = async (...args: string[]) => {
      const run = await score(at('parts'), ...args);
      expect(run.code).toBe(2);
      return run.stderr;
    };
    expect(await usage('--normals', bank, '--normals-from', at('good'))).toContain('not both');
    expect(await usage('--normals', bank, '--turns', '2')).toContain('--turns says how a bank is learned');
    expect(await usage('--false-alarm-rate', '0.2')).toContain('needs normal pictures');
    expect(await usage('--normals', bank, '--e-attn', 'vv')).toContain('eAttn');
  });

  it.each([
    ['score', []],
    ['test', ['--out', 'results']],
    ['test', ['--out', 'results', '--methods', 'crane,winclip']],
    ['calibrate', []],
    ['normals learn', ['--out', 'x']],
  ])('tells before a model is loaded that there are no good pictures: %s %j', async (command, flags) => {
    await mkdir(at('empty'), { recursive: true });
    for (const [from, code] of [
      [at('nowhere'), 'E_INPUT_NOT_FOUND'],
      [at('empty'), 'E_INPUT_NOT_FOUND'],
    ] as const) {
      // A model that nobody could load: what is told is what is told first.
      const run = await runInProcess([
        ...[...command.split(' '), ...flags, '--model', at('no model')],
        ...(command.startsWith('normals') ? [from] : [at('parts'), '--normals-from', from]),
      ]);
      expect(run.stderr).toContain(code);
      expect(run.addon.log.opened).toHaveLength(0);
    }
  });

  it('warns when most pictures are unlike the bank', async () => {
    await mkdir(at('moved'), { recursive: true });
    for (const i of [1, 2, 3, 4, 5]) await writePicture(at('moved', `${i}.png`), i === 5 ? 20 : 220 + i);
    const run = await score(at('moved'), '--normals', bank);
    expect(run.stderr).toContain('4 of 5 pictures are farther from the bank than any of its own');
    const like = await score(at('good'), '--recursive', '--normals', bank, at('parts', 'unlike.png'));
    expect(like.lines()).toHaveLength(5);
    expect(like.stderr).not.toContain('farther');
  });

  it('refuses results of another bank in the same file', async () => {
    const out = at('results');
    expect((await score(at('parts', 'like.png'), '--normals', bank, '--out', out)).code).toBe(0);
    const other = await score(at('parts'), '--normals-from', at('parts'), '--out', out, '--resume');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('its results come from');
    const same = await score(at('parts'), '--normals', bank, '--out', out, '--resume');
    expect(same.code).toBe(0);
    expect(same.lines()).toHaveLength(1);
  });
});

describe("a method's memory as a file", () => {
  const file = () => at('part.winclip.safetensors');
  const named = ['--method', 'winclip', '--class-name', 'nut'];
  const learn = (...more: string[]) =>
    normals('learn', at('good'), '--out', file(), '--force', '--model', model, ...more);

  it('is learned, told of, extended and compared with', async () => {
    const learned = await learn('--method', 'winclip', '--window-sides', '2');
    expect(learned).toMatchObject({ code: 0, stdout: '' });
    expect(learned.stderr).toContain('a memory of 4 normal pictures');
    expect(learned.stderr).toContain('--method winclip --class-name NAME --window-sides 2 --normals');
    const shown = await normals('show', file());
    expect(shown.stdout).toContain('the memory of method winclip, windowSides 2');
    const added = at('more.winclip.safetensors');
    const more = await normals('add', file(), at('parts', 'like.png'), '--out', added, '--model', model);
    expect(more).toMatchObject({ code: 0, stderr: expect.stringContaining('a memory of 5 normal pictures') });
    const scored = await score(at('parts'), ...named, '--window-sides', '2', '--normals', added);
    expect(scored).toMatchObject({ code: 0 });
    expect(scored.lines()).toHaveLength(2);
    const [, beside] = [...scored.addon.log.prompts].reverse();
    expect(beside!.material.files).toEqual({ memory: added });
  });

  it('is refused where something else is asked for', async () => {
    await learn('--method', 'winclip');
    for (const [flags, code, text] of [
      [[...named, '--window-sides', '2'], 4, 'windowSides'],
      [[], 4, '--method winclip'],
      [['--method', 'vand', '--class-name', 'nut', '--prompts', bank], 4, 'for method winclip'],
      [['--method', 'anovl', '--class-name', 'nut'], 2, 'compares with prompts'],
    ] as const) {
      const run = await score(at('parts'), ...flags, '--normals', file());
      expect(run.stderr).toContain(text);
      expect(run.code, text).toBe(code);
    }
    // A method runs towers in its own way: the model would be another one.
    expect(await normals('check', file(), '--model', at('no model'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no scores of its own pictures'),
    });
  });

  it.each([
    [['--method', 'anovl'], 'keeps no normal pictures'],
    [['--method', 'crane'], 'keeps no normal pictures'],
    [['--method', 'winclip', '--features', '3'], '--features does not decide'],
    [['--window-sides', '2'], '--window-sides does not decide'],
    [['--method', 'normals', '--window-sides', '2'], '--window-sides does not decide'],
    [['--method', 'winclip', '--turns', '2'], 'turns says how a bank'],
    [['--method', 'winclip', '--evidence', 'both'], 'evidence'],
  ])('learn refuses %j', async (flags, text) => {
    const run = await learn(...flags);
    expect(run.stderr).toContain(text);
    expect(run.code).toBe(2);
  });

  it('of --normals-from is kept for the next time', async () => {
    const from = [at('parts'), ...named, '--window-sides', '3', '--normals-from', at('good')];
    const first = await score(...from);
    expect(first.stderr).toContain('memory of 4 normal pictures, kept in');
    const second = await score(...from);
    expect(second.stderr).toContain('memory of 4 normal pictures, found in');
    expect(second.addon.log.prompts.some(({ material }) => material.normals)).toBe(false);
  });
});
