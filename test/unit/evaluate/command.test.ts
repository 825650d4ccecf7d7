import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeRun } from '../../../src/runs/run-json.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { writeToySet } from '../train/toy-set.js';
import { useWorkplace } from '../train/workplace.js';

const work = useWorkplace();
const test = (args: string[], surroundings: Parameters<typeof runInProcess>[1] = {}) =>
  runInProcess(
    ['test', work.set, '--model', work.model.folder, '--bootstrap', '20', '--no-report', ...args],
    {
      env: work.env,
      addon: makeTestAddon(),
      ...surroundings,
    },
  );

describe('test', () => {
  it('prints the table on stdout; counts and the place of the results on stderr', async () => {
    const run = await test(['--out', work.at('plain')]);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/^ {2}tile +3 +3 +100\.0 +100\.0 +100\.0/m);
    expect(run.stderr).toMatch(/^set \(test\): 1 class, 3 normal \(good\) and 3 anomalous pictures$/m);
    expect(run.stderr).toContain(`results: ${work.at('plain')}`);
  });

  it('--json: the results on stdout, errors on stderr', async () => {
    const args = ['--out', work.at('json'), '--json', '--limits', '0.1'];
    const run = await test(args);
    expect(decodeRun(run.stdout)).toMatchObject({
      settings: { limits: [0.1], bootstrap: { resamples: 20 } },
    });
    expect(run.stdout).toBe(await readFile(work.at('json', 'results.json'), 'utf8'));
    const again = await test(args);
    expect(again.code).toBe(2);
    expect(JSON.parse(again.stderr.split('\n').at(-2)!)).toMatchObject({ error: { code: 'E_EXISTS' } });
  });

  it('warns loudly of prompts that were learned on the tested set', async () => {
    const toys = await writeToySet(work.at('toys'));
    const run = await runInProcess(
      ['test', toys, '--model', work.model.folder, '--out', work.at('warned'), '--no-report'],
      { env: work.env, addon: makeTestAddon() },
    );
    expect(run.stdout).toMatch(/^WARNING: toys: the prompts were learned on toys\./);
    for (const name of ['results.md', 'results.tex', 'results.json'])
      expect(await readFile(work.at('warned', name), 'utf8')).toMatch(/prompts were learned on (it|toys)/);
  });

  it.each([
    [['--normals-k-shot', '1', '--methods', 'all'], '--methods'],
    [['--normals-k-shot', '1', '--paper-table', '2c'], '--paper-table'],
    [['--normals-from', '.', '--paper-table', '2c'], '--paper-table'],
  ])('%j asks for two things at once', async (flags, named) => {
    const run = await test(['--out', work.at('two things'), ...flags]);
    expect([run.code, run.addon.log.opened]).toEqual([2, []]);
    expect(run.stderr).toContain(named);
  });

  it('--compare-paper says so where there is nothing to compare with', async () => {
    const run = await test(['--out', work.at('unpublished'), '--compare-paper']);
    expect(run.stdout).toContain("set: the paper's tables have no row of it");
  });

  it.each([
    [[], { maskGrey: true, exif: false }],
    [['--compat.exif', '--no-compat.mask-grey'], { exif: true }],
  ])(
    '--compare-paper %j reads pictures as the published figures were made, unless told',
    async (args, reading) => {
      const out = work.at(`as published ${args.length}`);
      expect((await test(['--out', out, '--compare-paper', ...args])).code).toBe(0);
      const { settings } = decodeRun(await readFile(join(out, 'results.json'), 'utf8'));
      expect(settings).toMatchObject(reading);
      expect(settings.maskGrey ?? false).toBe(args.length === 0);
    },
  );

  it('ends with 3 when a picture failed, and names it', async () => {
    const set = await writeToySet(work.at('broken'));
    await writeFile(join(set, 'test', 'good_1.png'), 'no picture');
    const run = await runInProcess(
      ['test', set, '--model', work.model.folder, '--out', work.at('failed'), '--no-report'],
      { env: work.env, addon: makeTestAddon() },
    );
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('test/good_1.png: E_IMAGE_DECODE');
    expect(run.stdout).toContain('broken/tile: 1 of 6 pictures failed and are in no figure');
  });

  it('ends with 130 when it was interrupted, and says how to go on', async () => {
    const out = work.at('stopped');
    const run = await test(['--out', out], { stop: AbortSignal.abort() });
    expect(run.code).toBe(130);
    expect(run.stderr).toContain('interrupted before a picture was scored');
    expect((await test(['--out', out, '--resume'])).code).toBe(0);
  });

  it.each([
    [[], 'test needs --out'],
    [['--out', 'x', '--limits', '0.3,2'], 'for --limits but received "0.3,2"'],
    [['--out', 'x', '--preset', 'crane++'], 'for --preset but received "crane++"'],
    [['--out', 'x', '--grid', 'sigma'], 'Expected sigma=VALUE,VALUE for --grid'],
    [['--out', 'x', '--grid', 'sigma=4,8', '--sigma', '3'], '--grid has sigma, and so has --sigma'],
    [['--out', 'x', '--kep-maps'], 'did you mean --keep-maps?'],
  ])('%j is refused before anything is loaded', async (args, message) => {
    const run = await test(args, { loadAddon: () => Promise.reject(new Error('loaded')) });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
  });
});

describe('test --grid', () => {
  const grid = ['--grid', 'eAttn=vv,kk', 'sigma=1,20'];

  it('tests every combination and makes one table of them', async () => {
    const out = work.at('grid');
    const run = await test(['--out', out, ...grid]);
    expect(run.code).toBe(0);
    const rows = run.stdout.split('\n').filter((line) => line.startsWith('set '));
    expect(rows.map((row) => row.split(/ +/).slice(0, 3))).toEqual([
      ['set', 'vv', '1'],
      ['set', 'vv', '20'],
      ['set', 'kk', '1'],
      ['set', 'kk', '20'],
    ]);
    expect((await readdir(out)).sort()).toEqual(['cells', 'grid.csv', 'grid.json', 'grid.md', 'grid.tex']);
    const { cells } = JSON.parse(await readFile(join(out, 'grid.json'), 'utf8'));
    const one = decodeRun(await readFile(join(out, cells[3].results), 'utf8'));
    expect(one.settings.method).toMatchObject({ eAttn: 'kk', sigma: 20 });
    expect(run.addon.log.opened).toHaveLength(1);
  });

  it('opens an engine for each value of what is fixed when it is loaded', async () => {
    const run = await test(['--out', work.at('sizes'), '--grid', 'size=28,42 sigma=1,2']);
    expect(run.addon.log.opened.map(({ width }) => width)).toEqual([28, 42]);
    expect(run.addon.log.disposed).toBe(2);
  });

  it('goes on with the combinations that are missing, and gives the same table', async () => {
    await test(['--out', work.at('through'), ...grid]);
    const out = work.at('resumed');
    // Only the first two combinations.
    await test(['--out', out, '--grid', 'eAttn=vv', 'sigma=1,20']);
    const run = await test(['--out', out, ...grid, '--resume']);
    expect(run.code).toBe(0);
    expect(run.addon.log.passes.map(({ method }) => method['eAttn'])).not.toContain('vv');
    for (const name of ['grid.json', 'grid.csv', 'grid.md', 'grid.tex'])
      expect(await readFile(join(out, name), 'utf8')).toBe(await readFile(work.at('through', name), 'utf8'));
  });

  it('is not written over without --force', async () => {
    const out = work.at('grid-taken');
    await test(['--out', out, '--grid', 'sigma=1']);
    expect((await test(['--out', out, '--grid', 'sigma=1'])).stderr).toContain('holds a grid already');
    expect((await test(['--out', out, '--grid', 'sigma=1', '--force'])).code).toBe(0);
  });
});
