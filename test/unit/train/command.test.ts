import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runInProcess } from '../cli/run-in-process.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { useWorkplace } from './workplace.js';

const work = useWorkplace();
const train = (args: string[], surroundings: Parameters<typeof runInProcess>[1] = {}) =>
  runInProcess(['train', work.set, '--model', work.model.folder, '--batch-size', '2', ...args], {
    env: work.env,
    ...surroundings,
  });

describe('train', () => {
  it('prints the path of the prompts alone on stdout, and one line for each epoch on stderr', async () => {
    const run = await train(['--out', work.at('plain'), '--epochs', '2']);
    expect(run.code).toBe(0);
    expect(run.stdout).toBe(`${work.at('plain', 'prompts.safetensors')}\n`);
    expect(run.stderr).toMatch(/^set \(test\): 1 class, 3 normal \(good\) and 3 anomalous pictures$/m);
    expect(run.stderr).toMatch(
      /^epoch 2\/2: loss \d\.\d{4} \(focal \d\.\d{4}, dice \d\.\d{4}, image \d\.\d{4}\)$/m,
    );
    expect(run.stderr).toMatch(/learned on set: scores on these are no zero-shot results/);
  });

  it('scores with what it wrote, and says what that was learned on', async () => {
    await train(['--out', work.at('scored'), '--epochs', '1']);
    const prompts = work.at('scored', 'prompts.safetensors');
    const run = await runInProcess(
      [
        'score',
        `${work.set}/test/good_0.png`,
        '--model',
        work.model.folder,
        '--prompts',
        prompts,
        '--verbose',
      ],
      { env: work.env },
    );
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('prompts learned on set\n');
  });

  it('--json: the outcome on stdout, errors on stderr', async () => {
    const args = ['--out', work.at('json'), '--epochs', '1', '--json'];
    const [outcome] = (await train(args)).lines();
    expect(outcome).toMatchObject({ learnedOn: ['set'], runs: [{ seed: 111 }] });
    const again = await train(args);
    expect(again.code).toBe(2);
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'E_EXISTS' } });
  });

  it('--seeds tells mean and standard deviation', async () => {
    const run = await train(['--out', work.at('seeds'), '--epochs', '1', '--seeds', '2']);
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(run.stderr).toMatch(/^ {2}total {2}\d\.\d{4} \+- \d\.\d{4} \(/m);
    expect(run.stderr).toContain('seed 112: epoch 1/1');
  });

  it('--dry-run says what it would take and writes nothing', async () => {
    const cache = await mkdtemp(work.at('dry-'));
    const run = await train(['--out', work.at('dry'), '--cache', cache, '--dry-run', '--measure']);
    expect(run.code).toBe(0);
    for (const line of [
      /^pictures +6$/m,
      /^steps +5 epochs of 3 steps$/m,
      /^features +0 in the cache, 6 to/m,
    ])
      expect(run.stdout).toMatch(line);
    expect(run.stdout).toMatch(/^time +about \d+ s \(an estimate/m);
    expect(await readdir(cache)).toEqual([]);
    const plain = await train(['--dry-run', '--cache', cache, '--json']);
    expect(plain.lines()[0]).toMatchObject({ pictures: 6, features: { missing: 6 } });
    expect(plain.lines()[0]).not.toHaveProperty('seconds');
  });

  it('stops at the first signal with exit code 130, and goes on with --resume', async () => {
    const stop = new AbortController();
    let steps = 0;
    const addon = makeFakeAddon({ training: { onStep: () => void (++steps === 4 && stop.abort()) } });
    const args = ['--out', work.at('stopped'), '--epochs', '3'];
    const run = await train(args, { addon, stop: stop.signal });
    expect(run.code).toBe(130);
    expect(run.stderr).toContain('the same command with --resume goes on');
    expect((await train([...args, '--resume'])).code).toBe(0);
    await train(['--out', work.at('whole'), '--epochs', '3']);
    expect(await work.bytesOf(work.at('stopped'))).toEqual(await work.bytesOf(work.at('whole')));
  });

  it.each([
    [['train', '--out', 'x'], 'train needs a data set'],
    [['train', 'x'], 'train needs --out'],
    [['train', 'x', '--out', 'y', '--measure'], '--measure belongs to --dry-run'],
    [['train', 'x', '--out', 'y', '--betas', '0.9'], 'Expected two numbers from 0 to below 1'],
    [['train', 'x', '--out', 'y', '--learning-rate', '0'], 'Expected a number between 0 and 1000'],
    [['train', 'x', '--out', 'y', '--portion', '0'], 'Expected a number above 0, at most 1 for --portion'],
    [['train', 'x', '--out', 'y', '--epoch', '3'], 'there is no flag "--epoch"'],
  ])('%j: %s', async (args, message) => {
    const run = await runInProcess([...args, '--json'], { env: work.env });
    expect(run.code).toBe(2);
    expect(JSON.parse(run.stderr).error.message).toContain(message);
  });

  it('tells of mosaics that were asked for and cannot be made, and of a pool of none', async () => {
    const out = ['--out', work.at('no mosaic')];
    const idle = await train([...out, '--mosaic-rate', '0.5']);
    expect(idle).toMatchObject({ code: 2, stderr: expect.stringContaining('the data has tile') });
    expect((await train([...out, '--dry-run', '--mosaic-rate', '0.5'])).code).toBe(2);
    const pool = await train([...out, '--mosaic-pool', '3']);
    expect(pool).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no mosaicRate') });
    // A grid of rates may have none beside others.
    const pooled = ['--mosaic-rate', '0', '--mosaic-pool', '3', '--mosaic-classes', 'tile'];
    expect((await train([...out, '--dry-run', ...pooled])).code).toBe(0);
  });

  it('shows its progress on a terminal, with losses', async () => {
    const run = await train(['--out', work.at('terminal'), '--epochs', '2'], {
      isTerminal: { stderr: true, stdout: true },
      training: { onStep: () => new Promise((resolve) => setTimeout(resolve, 120)) },
    });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/learning .*\d+\/12, [\d.]+\/s, .* left, epoch \d\/2, loss \d\.\d{3}/);
  });

  it('records every option that it was given', async () => {
    await train(['--out', work.at('options'), '--epochs', '1', '--betas', '0.5,0.9', '--guidance', 'none']);
    const record = JSON.parse(await readFile(work.at('options', 'run.json'), 'utf8'));
    expect(record.options).toMatchObject({
      betas: [0.5, 0.9],
      guidance: 'none',
      epochs: 1,
      data: [work.set],
    });
    expect(record.made.training).toMatchObject({ beta1: 0.5, beta2: 0.9, imageLossWeight: 0.2 });
  });
});
