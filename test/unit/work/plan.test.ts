import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PlanAssumptions, planFor, simulate } from '../../../src/work/plan.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeToyFolder, writePicture } from '../engine/toy-model.js';

const nothing: PlanAssumptions = {
  chunk: 100,
  startSeconds: 0,
  spread: 0,
  slowShare: 0,
  slowTimes: 1,
  killsPerHour: 0,
  lockSeconds: 30,
  replaceSeconds: 60,
  failShare: 0,
  backoffSeconds: 10,
};
const request = (assumptions: Partial<PlanAssumptions> = {}, pictures = 10_000) => ({
  pictures,
  rate: 5,
  assumptions: { ...nothing, ...assumptions },
  seed: 0,
});

describe('the simulation', () => {
  it('is the arithmetic where nothing goes wrong', () => {
    // 100 chunks of 20 s on 10 workers; on 7 the last round has 2 chunks.
    expect(simulate(request(), 10)).toEqual({ seconds: 200, workerHours: 2000 / 3600, kills: 0, retries: 0 });
    expect(simulate(request(), 7).seconds).toBeCloseTo(300);
    expect(simulate(request({ startSeconds: 45 }), 10).seconds).toBeCloseTo(245);
    expect(simulate(request({}, 101), 2).seconds).toBeCloseTo(20);
  });

  it('counts stragglers: all slow is so many times slower', () => {
    expect(simulate(request({ slowShare: 1, slowTimes: 3 }), 10).seconds).toBeCloseTo(600);
  });

  it('counts retries: each chunk once, with its pause', () => {
    const run = simulate(request({ failShare: 1 }, 100), 1);
    expect(run).toMatchObject({ retries: 1, kills: 0 });
    expect(run.seconds).toBeCloseTo(20 + 10 + 0.2);
  });

  it('counts kills as often as the assumption says, and keeps what was done', () => {
    // 20 workers for an ideal of 5,000 s at 2 an hour each: about 56 kills, a little more for the time they cost.
    const kills = Array.from({ length: 20 }, (_, draw) =>
      simulate(request({ killsPerHour: 2 }, 500_000), 20, draw),
    );
    const mean = kills.reduce((sum, run) => sum + run.kills, 0) / kills.length;
    expect(mean).toBeGreaterThan(50);
    expect(mean).toBeLessThan(66);
    for (const { seconds } of kills) {
      expect(seconds).toBeGreaterThan(5000);
      expect(seconds).toBeLessThan(5000 + 20 * 60 + (66 * 90) / 20 + 200);
    }
  });

  it('is the same for the same seed', () => {
    const noisy = request({ spread: 0.3, killsPerHour: 5, failShare: 0.1, slowShare: 0.2, slowTimes: 2 });
    expect(simulate(noisy, 9, 3)).toEqual(simulate(noisy, 9, 3));
    expect(simulate(noisy, 9, 3)).not.toEqual(simulate(noisy, 9, 4));
  });
});

describe('the plan', () => {
  it('is the fewest workers whose every run ends in time', () => {
    expect(planFor(request(), 200)).toMatchObject({ workers: 10, medianSeconds: 200, idealSeconds: 200 });
    expect(planFor(request(), 199)!.workers).toBe(12);
    expect(planFor(request(), 19)).toBeNull();
  });

  it('is none, at once, for more workers than are tried, and no endless one', () => {
    expect(planFor(request({}, 1e12), 1)).toBeNull();
    expect(planFor(request({}, 1e12), 1200)).toBeNull();
    // An hour a picture, and a kill each minute.
    const hopeless = { ...request({ killsPerHour: 60, startSeconds: 60 }, 100), rate: 1 / 3600 };
    expect(simulate(hopeless, 1, 0, { steps: 10_000 }, 7200).seconds).toBeGreaterThan(7200);
    const usage = expect.objectContaining({ code: 'E_USAGE' });
    expect(() => simulate({ ...request({ chunk: 1 }, 1e12), rate: 1e9 }, 1, 0, { steps: 10_000 })).toThrow(
      usage,
    );
    expect(() => simulate(hopeless, 1, 0, { steps: 10_000 })).toThrow(usage);
  });

  it('has room for each number of workers by itself, and tells at once that there is too little', () => {
    // 100 chunks in 20 runs are 2,000 steps; several numbers are tried.
    expect(planFor(request(), 199, 2_500)).toEqual(planFor(request(), 199));
    const usage = expect.objectContaining({ code: 'E_USAGE' });
    expect(() => planFor(request(), 199, 1_999)).toThrow(usage);
    expect(() => planFor(request({ chunk: 2000 }, 1e14), 30 * 86_400 * 1000)).toThrow(usage);
  });

  it('prints what it assumes', async () => {
    const run = await runInProcess([
      'plan',
      '--pictures',
      '1e6',
      '--deadline',
      '10h',
      '--rate',
      '5',
      '--price-per-hour',
      '0.5',
    ]);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/^workers +\d+\n/);
    expect(run.stdout).toContain('rate            5.00 pictures a second and worker, as given');
    expect(run.stdout).toContain(
      'kills         0.05 a worker and hour; noticed after 30 s, replaced after 120 s',
    );
    expect(run.stdout).toMatch(/worker hours +\d+\.\d, cost \d+\.\d\d/);
    const json = JSON.parse(
      (await runInProcess(['plan', '--pictures', '1e6', '--deadline', '10h', '--rate', '5', '--json']))
        .stdout,
    );
    expect(json.workers).toBeGreaterThanOrEqual(6);
    expect(json.assumptions.chunk).toBe(2000);
  });

  it.each([
    [['--deadline', '1h'], 'needs --pictures'],
    [['--pictures', '10', '--deadline', '1 h'], 'Expected a number with s, m, h or d'],
    [['--pictures', '10', '--deadline', '1s', '--rate', '5'], 'no number of workers'],
    [['--pictures', '1e12', '--deadline', '1s', '--rate', '1'], 'no number of workers'],
    [
      ['--pictures', '1e6', '--deadline', '1h', '--rate', '5', 'x.png'],
      'pictures are for measuring the rate',
    ],
    [
      ['--pictures', '1e6', '--deadline', '1h', '--rate', '5', '--threads', '2'],
      '--threads is for measuring',
    ],
  ])('%j: %s', async (flags, message) => {
    const run = await runInProcess(['plan', ...flags]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
  });
});

describe('the measured rate', () => {
  const work = ['plan', '--pictures', '1000', '--deadline', '1h'];
  let folder: string;
  beforeAll(async () => {
    folder = await makeToyFolder();
    for (const name of ['a', 'b']) {
      await writePicture(join(folder, `${name}.png`), 90);
      await writePicture(join(folder, `${name}_mask.png`), 0);
    }
    await writeFile(join(folder, 'broken.png'), 'no picture');
    await writeFile(join(folder, 'list.txt'), '\n\n');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);

  it('is none of pictures that fail', async () => {
    const run = await runInProcess([...work, at('none.png'), at('broken.png')]);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('E_INPUTS_FAILED');
    expect(run.stderr).toContain('2 of 2 pictures failed, for instance: ');
    expect(run.stdout).toBe('');
  });

  it.each([
    ['masks alone', ['a_mask.png', 'b_mask.png']],
    ['a list of nothing', ['@list.txt']],
  ])('is none of %s', async (_, names) => {
    const given = names.map((name) => (name.startsWith('@') ? `@${at(name.slice(1))}` : at(name)));
    const run = await runInProcess([...work, ...given]);
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('E_INPUT_NOT_FOUND')]);
  });

  it('is that of the pictures that are scored, and says how many are not', async () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 100));
    const run = await runInProcess([...work, at('a.png'), at('b.png'), at('broken.png'), '--json']);
    clock.mockRestore();
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toContain('1 of 3 pictures failed');
    const { rate, measured } = JSON.parse(run.stdout);
    expect(measured.pictures).toBeGreaterThan(0);
    expect(rate).toBeLessThanOrEqual(measured.pictures / 10);
  });
});
