/** Trainings of a grid and of several seeds with the tests of what they learned: one table; one that fails loses no other. */
import { access, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, it } from 'vitest';
import { runInProcess } from '../cli/run-in-process.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { writeToySet } from '../train/toy-set.js';
import { useWorkplace } from '../train/workplace.js';

const work = useWorkplace();
let tested = '';
beforeAll(async () => {
  tested = await writeToySet(work.at('tested'), { from: 100 });
});

type Surroundings = Parameters<typeof runInProcess>[1];
const train = (args: string[], surroundings: Surroundings = {}) =>
  runInProcess(
    [...['train', work.set, '--model', work.model.folder, '--batch-size', '2', '--epochs', '1'], ...args],
    { env: work.env, addon: makeTestAddon(), ...surroundings },
  );
const tests = () => ['--then-test', tested, '--bootstrap', '0', '--no-report'];
const record = async (out: string) =>
  JSON.parse(await readFile(join(out, 'trials.json'), 'utf8')) as {
    status: string;
    trials: { values: string[]; seed: number; status: string; folder: string; losses: { total: number } }[];
  };
const table = async (out: string): Promise<Record<string, string>[]> =>
  parse(await readFile(join(out, 'table.csv'), 'utf8'), { columns: true });

describe('train with several seeds and a test', () => {
  it('is one table with mean and sample standard deviation of the test figures', async () => {
    const out = work.at('three');
    const run = await train(['--seeds', '3', ...tests(), '--out', out]);
    expect(run.stderr).toContain('3/3: seed 113');
    expect(run.code).toBe(0);
    const values: number[] = [];
    for (const seed of [111, 112, 113]) {
      const results = JSON.parse(
        await readFile(
          join(out, 'cells', cellOf(await record(out)), `seed_${seed}`, 'test', 'results.json'),
          'utf8',
        ),
      );
      expect(results.settings.prompts.name).toContain(`seed_${seed}`);
      values.push(results.dataSets[0].mean.leftOut.pixel.auroc.value);
    }
    const [row] = await table(out);
    const mean = values.reduce((sum, value) => sum + value, 0) / 3;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
    expect(Number(row!['pixel_auroc'])).toBeCloseTo(mean, 12);
    expect(Number(row!['pixel_auroc_deviation'])).toBeCloseTo(deviation, 12);
    expect(row).toMatchObject({ data_set: 'tested', runs: '3' });
    expect(run.stdout).toContain('sample standard deviation (n - 1)');
    expect(run.stdout).toContain(' ± ');
  });

  it('one seed has no spread', async () => {
    const out = work.at('one');
    const run = await train([...tests(), '--out', out]);
    expect(run.code).toBe(0);
    expect(run.stdout).not.toContain('±');
    expect(Object.keys((await table(out))[0]!)).not.toContain('pixel_auroc_deviation');
  });
});

function cellOf({ trials }: Awaited<ReturnType<typeof record>>): string {
  return trials[0]!.folder.split('/')[1]!;
}

describe('train --grid', () => {
  it('learns with every combination and gives the losses where nothing is tested', async () => {
    const out = work.at('grid');
    const run = await train(['--grid', 'guidance=none,pad-suffix', 'learningRate=0.1,0.2', '--out', out]);
    expect(run.code).toBe(0);
    const rows = await table(out);
    expect(rows.map(({ guidance, learningRate }) => [guidance, learningRate])).toEqual([
      ['none', '0.1'],
      ['none', '0.2'],
      ['pad-suffix', '0.1'],
      ['pad-suffix', '0.2'],
    ]);
    const { status, trials } = await record(out);
    expect(status).toBe('complete');
    for (const [at, { folder, losses }] of trials.entries()) {
      const own = JSON.parse(await readFile(join(out, folder, 'run.json'), 'utf8'));
      expect(own.options).toMatchObject({ guidance: rows[at]!['guidance'], seed: 111 });
      expect(own.losses).toEqual(losses);
      expect(Number(rows[at]!['loss_total'])).toBe(losses.total);
    }
  });

  it('refuses seeds beyond the last one before anything is learned', async () => {
    const out = work.at('beyond');
    for (const args of [['--grid', 'learningRate=0.1'], []]) {
      const run = await train([...args, '--seed', '4294967295', '--seeds', '2', '--out', out]);
      expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('go up to 4294967296') });
    }
    await expect(access(out)).rejects.toThrow();
  });

  it('tells the spread of the losses over seeds', async () => {
    const out = work.at('spread');
    expect((await train(['--grid', 'learningRate=0.1', '--seeds', '2', '--out', out])).code).toBe(0);
    const [a, b] = (await record(out)).trials.map(({ losses }) => losses.total);
    expect(a).not.toBe(b);
    const [row] = await table(out);
    expect(Number(row!['loss_total'])).toBeCloseTo((a! + b!) / 2, 12);
    expect(Number(row!['loss_total_deviation'])).toBeCloseTo(Math.abs(a! - b!) / Math.SQRT2, 12);
  });

  it('one that fails is named in the table, loses no other, and is tried again', async () => {
    const out = work.at('failed');
    let diverges = true;
    const addon = makeTestAddon({
      training: {
        onStep: () => {
          const error = Object.assign(new Error('the loss of step 1 is not finite'), {
            code: 'E_TRAIN_DIVERGED',
          });
          // the first step of the second training
          if (diverges && ++steps === 4) throw error;
        },
      },
    });
    let steps = 0;
    const args = ['--grid', 'learningRate=0.1,0.2,0.3', '--out', out];
    const run = await train(args, { addon });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('E_TRIALS_FAILED');
    expect(run.stdout).toMatch(/WARNING: learningRate=0\.2 seed 111 failed: E_TRAIN_DIVERGED/);
    expect((await table(out)).map(({ learningRate, runs }) => [learningRate, runs])).toEqual([
      ['0.1', '1'],
      ['0.3', '1'],
    ]);
    expect((await record(out)).trials.map(({ status }) => status)).toEqual([
      'complete',
      'failed',
      'complete',
    ]);
    diverges = false;
    const again = await train([...args, '--resume'], { addon });
    expect(again.code).toBe(0);
    expect(await table(out)).toHaveLength(3);
  });

  it('goes on after an interrupt to the bytes of a run in one go', async () => {
    const stop = new AbortController();
    let steps = 0;
    const addon = makeTestAddon({ training: { onStep: () => void (++steps === 5 && stop.abort()) } });
    const args = (name: string) => [
      ...['--grid', 'learningRate=0.1,0.2', '--seeds', '2', ...tests()],
      ...['--out', work.at(name)],
    ];
    const run = await train(args('stopped'), { addon, stop: stop.signal });
    expect(run.code).toBe(130);
    expect((await record(work.at('stopped'))).status).toBe('interrupted');
    expect((await train([...args('stopped'), '--resume'])).code).toBe(0);
    expect((await train(args('at once'))).code).toBe(0);
    for (const name of ['table.csv', 'table.md', 'table.tex'])
      expect(await readFile(work.at('stopped', name), 'utf8')).toBe(
        await readFile(work.at('at once', name), 'utf8'),
      );
    // The same settings are taken, others are not.
    const other = await train([...args('stopped'), '--resume', '--focal-weight', '7']);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('E_TRAIN_RESUME');
  });

  it('learns on with more epochs, and tests anew what was learned', async () => {
    const args = (name: string, epochs: string) => [
      ...['--seeds', '2', ...tests(), '--epochs', epochs, '--out', work.at(name)],
    ];
    expect((await train(args('went on', '1'))).code).toBe(0);
    expect((await train([...args('went on', '2'), '--resume'])).code).toBe(0);
    expect((await train(args('two epochs', '2'))).code).toBe(0);
    const { status, trials } = await record(work.at('went on'));
    expect([status, trials.map((trial) => trial.status)]).toEqual(['complete', ['complete', 'complete']]);
    expect(await readFile(work.at('went on', 'table.csv'), 'utf8')).toBe(
      await readFile(work.at('two epochs', 'table.csv'), 'utf8'),
    );
    // Stopped between the training and its test, prompts of the one stand beside results of the other.
    const [trial] = trials;
    const file = work.at('went on', trial!.folder, 'test', 'run.json');
    const test = JSON.parse(await readFile(file, 'utf8'));
    test.made.settings.prompts.sha256 = 'f'.repeat(64);
    await writeFile(file, JSON.stringify(test));
    expect((await train([...args('went on', '2'), '--resume'])).code).toBe(0);
  });

  it('takes nothing away where it is refused', async () => {
    const out = work.at('refused anew');
    const args = ['--seeds', '2', ...tests(), '--out', out];
    expect((await train([...args, '--epochs', '2'])).code).toBe(0);
    const kept = () =>
      Promise.all(['trials.json', 'table.csv'].map((name) => readFile(join(out, name), 'utf8')));
    const before = await kept();
    for (const [more, code] of [
      [['--epochs', '1'], 'E_TRAIN_RESUME'],
      [['--epochs', '2', '--limits', '0.1'], 'E_TEST_RESUME'],
    ] as const) {
      const refused = await train([...args, ...more, '--resume']);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(code)]);
      expect(await kept()).toEqual(before);
    }
  });

  it('leaves alone what is there unless told', async () => {
    const out = work.at('taken');
    const args = ['--grid', 'learningRate=0.1,0.2', '--out', out];
    await train(args);
    const again = await train(args);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('E_EXISTS')]);
    expect((await train([...args, '--force'])).code).toBe(0);
    await rm(out, { recursive: true });
    await mkdir(out);
    await writeFile(join(out, 'trials.json'), '{"kind": "diary"}');
    const foreign = await train([...args, '--force']);
    expect([foreign.code, foreign.stderr]).toEqual([2, expect.stringContaining('is not that of a grid')]);
    expect(await readFile(join(out, 'trials.json'), 'utf8')).toBe('{"kind": "diary"}');
  });

  it('takes a single training away with --force, once a training begins, and is refused beside one otherwise', async () => {
    const out = work.at('single');
    await train(['--out', out]);
    const args = ['--grid', 'learningRate=0.1', '--out', out];
    const before = await work.bytesOf(out);
    for (const ways of [[], ['--resume']]) {
      const refused = await train([...args, ...ways]);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('E_EXISTS')]);
    }
    const wrong = await train([...args, '--force', '--leave-out', 'nowhere.png']);
    expect(wrong.stderr).toContain('nowhere.png');
    expect(await work.bytesOf(out)).toEqual(before);
    expect((await train([...args, '--force'])).code).toBe(0);
    expect((await readdir(out)).sort()).toEqual([
      'cells',
      'table.csv',
      'table.md',
      'table.tex',
      'trials.json',
    ]);
    for (const ways of [['--resume'], ['--force']]) {
      const single = await train(['--out', out, ...ways]);
      expect([single.code, single.stderr]).toEqual([
        2,
        expect.stringContaining('holds the trainings of a grid'),
      ]);
    }
  });

  it('goes on once the prompts of a single training are moved away, and lets a plan be made', async () => {
    const out = work.at('with prompts');
    const args = ['--grid', 'learningRate=0.1', '--out', out];
    await train(args);
    const { folder } = (await record(out)).trials[0]!;
    const stray = join(out, 'prompts.safetensors');
    await copyFile(join(out, folder, 'prompts.safetensors'), stray);
    const refused = await train([...args, '--resume']);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('move prompts.safetensors elsewhere, then go on with --resume'),
    ]);
    const single = await train(['--out', out, '--force']);
    expect(single.stderr).toContain('holds the trainings of a grid');
    expect((await train(['--out', out, '--dry-run'])).code).toBe(0);
    await rm(stray);
    expect((await train([...args, '--resume'])).code).toBe(0);
  });

  it('leaves a test alone', async () => {
    const out = work.at('test');
    await mkdir(out);
    const test = '{"format": 1, "kind": "test"}';
    await writeFile(join(out, 'run.json'), test);
    const run = await train(['--grid', 'learningRate=0.1', '--out', out, '--force']);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('not that of a training')]);
    expect(await readFile(join(out, 'run.json'), 'utf8')).toBe(test);
    await writeFile(join(out, 'trials.json'), '{"kind": "trials"}');
    const gone = await train(['--grid', 'learningRate=0.1', '--out', out, '--resume']);
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining('move run.json')]);
  });

  it('takes labels of folders for the sets without an index, learned from or tested', async () => {
    const plain = await writeToySet(work.at('plain', 'tile'), { from: 60 });
    const labels = ['--normal-folder', 'reference'];
    const [normal, anomalous] = [join(plain, 'test', 'reference'), join(plain, 'test', 'hole')];
    const masks = join(plain, 'ground_truth', 'hole');
    for (const folder of [normal, anomalous, masks]) await mkdir(folder, { recursive: true });
    for (const at of [0, 1, 2]) {
      await rename(join(plain, 'test', `good_${at}.png`), join(normal, `${at}.png`));
      await rename(join(plain, 'test', `hole_${at + 3}.png`), join(anomalous, `${at}.png`));
      await rename(join(plain, 'masks', `hole_${at + 3}.png`), join(masks, `${at}_mask.png`));
    }
    await rm(join(plain, 'meta.json'));
    await rm(join(plain, 'masks'), { recursive: true });
    const root = work.at('plain');
    const run = (data: string, test: string, out: string) =>
      runInProcess(
        [
          ...['train', data, '--model', work.model.folder, '--batch-size', '2', '--epochs', '1', ...labels],
          ...['--then-test', test, '--bootstrap', '0', '--no-report', '--out', work.at(out)],
        ],
        { env: work.env, addon: makeTestAddon() },
      );
    expect((await run(root, tested, 'plain learned')).code).toBe(0);
    expect((await run(work.set, root, 'plain tested')).code).toBe(0);
    const neither = await run(work.set, tested, 'none plain');
    expect([neither.code, neither.stderr]).toEqual([2, expect.stringContaining('this index says')]);
  });

  it('one that was refused before it learned anything leaves its place free', async () => {
    const out = work.at('free');
    const bad = await writeToySet(work.at('one class'), { anomalous: 0 });
    const args = ['--grid', 'learningRate=0.1', '--out', out];
    const refused = await runInProcess(
      ['train', bad, '--model', work.model.folder, '--batch-size', '2', '--epochs', '1', ...args],
      { env: work.env, addon: makeTestAddon() },
    );
    expect(refused.stderr).toContain('E_DATA_ONE_CLASS');
    expect((await train(args)).code).toBe(0);
  });

  it.each([
    [['--grid', 'seed=1,2'], 'knows no option "seed"'],
    [['--grid', 'keepAs=a,b'], 'knows no option "keepAs"'],
    [['--grid', 'thenTest=a,b'], 'knows no option "thenTest"'],
    [['--paper-table', '2b', '--guidance', 'none', '--then-test', 'x'], 'the rows of table 2b set guidance'],
    [['--paper-table', '2a', '--no-fusion', '--then-test', 'x'], 'the rows of table 2a set fusion'],
    [['--grid', 'epochs=1,2'], '--grid has epochs, and so has --epochs'],
    [['--limits', '0.1'], '--limits belongs to --then-test'],
    [['--paper-table', '2b'], '--paper-table needs --then-test'],
    [['--grid', 'guidance=none', '--dry-run'], '--dry-run tells of one training'],
    [['--then-test', 'nowhere'], 'nowhere'],
  ])('%j is refused', async (args, message) => {
    const out = work.at('refused');
    const run = await train([...args, '--out', out]);
    expect(run.code).toBeGreaterThan(0);
    expect(run.stderr).toContain(message);
  });
});
