import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runInProcess } from '../cli/run-in-process.js';
import { greyPng, makeRoot, makeTree } from './tree.js';

let root: string;
beforeEach(async () => {
  root = await makeRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const makeSound = async () =>
  makeTree(root, {
    'test/cap/good/0.png': await greyPng(10),
    'test/cap/hole/1.png': await greyPng(20),
    'test/cap/masks/1_mask.png': await greyPng(0, 16, 12, { value: 1, pixels: 5 }),
  });

describe('data index', () => {
  it('writes the index and prints its path', async () => {
    await makeSound();
    const run = await runInProcess(['data', 'index', root]);
    expect([run.code, run.stdout]).toEqual([0, `${join(root, 'meta.json')}\n`]);
    expect(run.stderr).toContain('read as folders ({train,test}/CLASS/KIND with the classes cap)');
    const meta = JSON.parse(await readFile(join(root, 'meta.json'), 'utf8')) as { test: { cap: unknown[] } };
    expect(meta.test.cap).toHaveLength(2);
    const again = await runInProcess(['data', 'index', root, '--json']);
    expect([again.code, again.stdout]).toEqual([2, '']);
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'E_EXISTS' } });
    const forced = await runInProcess(['data', 'index', root, '--force', '--json']);
    expect(forced.lines()).toMatchObject([
      { layout: 'folders', test: { normal: 1, anomalous: 1 }, warnings: [] },
    ]);
  });

  it('reads as the layout that was asked for', async () => {
    await makeTree(root, ['images/0.png', 'masks/0.png']);
    const vague = await runInProcess(['data', 'index', root]);
    expect(vague.code).toBe(2);
    expect(vague.stderr).toMatch(/fits several layouts.*\[E_DATA_LAYOUT\]\n {2}say which it is: --layout /);
    const run = await runInProcess([
      'data',
      'index',
      root,
      '--layout',
      'cvc-colondb',
      '--out',
      join(root, 'x.json'),
    ]);
    expect([run.code, run.stdout]).toEqual([0, `${join(root, 'x.json')}\n`]);
  });
});

it.each(['check', 'index'])('data %s of a picture says what a data set is', async (what) => {
  const picture = join(root, 'A.JPG');
  await writeFile(picture, await greyPng(10));
  const run = await runInProcess(['data', what, picture, '--json']);
  expect([run.code, JSON.parse(run.stderr).error]).toMatchObject([
    2,
    { code: 'E_USAGE', message: `${picture}: a picture, and a data set is a folder or its meta.json` },
  ]);
});

describe('data check', () => {
  it('ends with 0 when all is well, with a report for people', async () => {
    await makeSound();
    const run = await runInProcess(['data', 'check', root]);
    expect([run.code, run.stderr]).toEqual([0, `test it: npx crane-native test '${root}' --out results\n`]);
    expect(run.stdout).toMatch(
      /test +cap +1 +1 +1\n\n2 pictures and 1 mask found, nothing left out\n\nno faults\n$/,
    );
    expect(run.stdout).not.toContain('\x1b');
  });

  it('ends with 0 when there are only warnings', async () => {
    await makeSound();
    await makeTree(root, { 'test/cap/masks/1_mask.png': await greyPng(0) });
    const run = await runInProcess(['data', 'check', root]);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(
      /warning: masks of anomalous pictures with nothing marked \(1\)\n {2}test\/cap\/masks\/1_mask.png\n/,
    );
    expect(run.stdout).toMatch(/\nno faults, 1 warning\n$/);
  });

  it('ends with 3 when there are faults, and says them for people and for programs', async () => {
    await makeSound();
    await makeTree(root, { 'test/cap/good/\u001b[2J.png': 'x' });
    const run = await runInProcess(['data', 'check', root]);
    expect(run.code).toBe(3);
    expect(run.stdout).toMatch(
      /fault: pictures that cannot be read \(1\)\n {2}test\/cap\/good\/\ufffd\[2J.png: /,
    );
    expect(run.stdout).not.toContain('\x1b');
    expect(run.stderr).toMatch(/1 fault \[E_DATA_FAULTS\]/);
    const json = await runInProcess(['data', 'check', root, '--json']);
    expect(json.code).toBe(3);
    expect(json.lines()).toMatchObject([
      { faults: 1, findings: [{ kind: 'damaged-picture', severity: 'fault' }] },
    ]);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'E_DATA_FAULTS' } });
  });

  it('shortens long lists for people only', async () => {
    await makeSound();
    await makeTree(
      root,
      Array.from({ length: 20 }, (_, index) => `test/cap/good/x${index}.png`),
    );
    const run = await runInProcess(['data', 'check', root], { isTerminal: { stdout: true } });
    expect(run.stdout).toContain('and 12 more; --json names all');
    expect(run.stdout).toContain('\x1b[31mfault\x1b[0m');
    const json = await runInProcess(['data', 'check', root, '--json']);
    expect((json.lines()[0]!['findings'] as unknown[]).length).toBe(20);
  });

  it('shows its progress on a terminal', async () => {
    await makeSound();
    const run = await runInProcess(['data', 'check', root], {
      isTerminal: { stderr: true },
      env: { CI: '1' },
    });
    expect(run.stderr).toContain('2/2');
  });

  it('interrupted ends with 130', async () => {
    await makeSound();
    const run = await runInProcess(['data', 'check', root], { stop: AbortSignal.abort() });
    expect(run.code).toBe(130);
    expect(run.stderr).toContain('interrupted after 0 of 2 pictures [E_CANCELLED]');
  });
});

describe('data list', () => {
  it('without a folder names the layouts', async () => {
    const run = await runInProcess(['data', 'list']);
    expect(run.stdout).toMatch(/^mvtec +MVTec AD.*the paper: 467 normal, 1258 anomalous/m);
    const json = await runInProcess(['data', 'list', '--json']);
    expect(json.lines()).toContainEqual(expect.objectContaining({ name: 'one-class', published: null }));
  });

  it('with one counts its classes', async () => {
    await makeSound();
    const run = await runInProcess(['data', 'list', root]);
    expect(run.stdout).toMatch(/test +cap +1 +1 +1\n$/);
    const json = await runInProcess(['data', 'list', root, '--json']);
    expect(json.lines()).toEqual([
      {
        split: 'test',
        className: 'cap',
        normal: 1,
        anomalous: 1,
        withMask: 1,
        withoutMask: 0,
        hasOneLabel: false,
      },
    ]);
  });
});

describe('usage', () => {
  it.each([
    [['data'], 'name what to do with a data set'],
    [['data', 'chekc'], 'there is no command "data chekc"'],
    [['data', 'check'], 'check needs the folder of a data set'],
    [
      ['data', 'index', 'a', '--max-pixels', '900'],
      '--max-pixels is for --annotations: an index opens no picture',
    ],
    [['data', 'index', 'a', '--', 'b'], 'one data set at a time, not 2'],
  ])('%j: %s', async (args, message) => {
    const run = await runInProcess(args);
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain(`crane-native: ${message} [E_USAGE]\n`);
  });

  it('a folder that is missing ends with 3', async () => {
    const run = await runInProcess(['data', 'check', join(root, 'no')]);
    expect([run.code, run.stdout]).toEqual([3, '']);
    expect(run.stderr).toContain('[E_DATA_NOT_FOUND]');
  });
});
