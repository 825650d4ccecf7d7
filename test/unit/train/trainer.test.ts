import { access, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { sha256OfFile } from '../../../src/files/content-hash.js';
import { createTrainer } from '../../../src/index.js';
import { recallPrompts } from '../../../src/models/known-prompts.js';
import type { RunRecord } from '../../../src/runs/training-record.js';
import type { TrainProgress } from '../../../src/train/progress.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { fakeCellsOf } from '../engine/fake-training.js';
import { errorOf, fake, useWorkplace } from './workplace.js';

const work = useWorkplace();
const readRecord = async (out: string) =>
  JSON.parse(await readFile(work.at(out, 'run.json'), 'utf8')) as RunRecord;

describe('a run', () => {
  it('leaves prompts of every epoch, the last ones with what they were learned on, state, record and report', async () => {
    const trainer = await work.trainer({ out: work.at('whole'), epochs: 3 });
    const outcome = await trainer.run();
    expect(await readdir(work.at('whole'))).toEqual([
      'epoch_1.pth',
      'epoch_2.pth',
      'epoch_3.pth',
      'prompts.safetensors',
      'report.html',
      'run.json',
      'state.safetensors',
    ]);
    expect(outcome).toMatchObject({
      learnedOn: ['set'],
      runs: [{ seed: 111, prompts: work.at('whole', 'prompts.safetensors') }],
    });
    expect(outcome.spread).toBeUndefined();
    const { metadata } = JSON.parse(await readFile(outcome.runs[0]!.prompts, 'utf8'));
    expect(metadata).toMatchObject({
      learnedOn: '["set"]',
      epochs: '3',
      seed: '111',
      normal: `${'X '.repeat(12)}object.`,
      anomalous: `${'X '.repeat(12)}damaged object.`,
    });
    const record = await readRecord('whole');
    expect(record).toMatchObject({
      status: 'complete',
      data: { learnedOn: ['set'], pictures: 6, sets: [{ normal: 3, anomalous: 3, withMask: 3 }] },
      features: { computed: 6, found: 0 },
      prompts: { file: 'prompts.safetensors' },
    });
    // By content, for a copy under another name.
    for (const { checkpoint, sha256 } of record.epochs) {
      expect(sha256).toBe(await sha256OfFile(work.at('whole', checkpoint)));
      expect(await recallPrompts(sha256!, work.env)).toMatchObject({ learnedOn: '["set"]' });
    }
    expect(record.epochs.map(({ epoch, steps }) => [epoch, steps])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(record.losses).toEqual(outcome.runs[0]!.losses);
  });

  it('P2: that goes on from other prompts keeps what those were learned on', async () => {
    const first = work.at('first.safetensors');
    await writeFile(
      first,
      JSON.stringify({ parameter: 0, metadata: { learnedOn: '["old"]', learnedPictures: '0123456789ab' } }),
    );
    const run = await (await work.trainer({ out: work.at('second'), epochs: 1, start: first })).run();
    expect(run.learnedOn).toEqual(['old', 'set']);
    const { metadata } = JSON.parse(await readFile(run.runs[0]!.prompts, 'utf8'));
    expect(metadata.learnedOn).toBe('["old","set"]');
    expect(metadata.learnedPictures.split(' ')).toHaveLength(7);
    expect(metadata.learnedPictures).toMatch(/^0123456789ab /);

    await writeFile(first, JSON.stringify({ parameter: 0, metadata: {} }));
    const silent = await (await work.trainer({ out: work.at('third'), epochs: 1, start: first })).run();
    expect(silent.learnedOn).toEqual(['set']);
    expect((await readRecord('third')).notes.join()).toContain(
      'does not say what its prompts were learned on',
    );
  });

  it('gives equal bytes for equal seeds, and others for another seed', async () => {
    for (const [out, seed] of [
      ['a', 5],
      ['b', 5],
      ['c', 6],
    ] as const)
      await (await work.trainer({ out: work.at(out), seed, epochs: 2 })).run();
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((out) => work.bytesOf(work.at(out))));
    expect(a).toEqual(b);
    for (const name of Object.keys(a!)) expect(c![name], name).not.toBe(a![name]);
  });

  it('takes every picture once an epoch, the last batch being what is left', async () => {
    const steps: string[][] = [];
    const addon = fake({ onStep: (items) => void steps.push(items.map(({ features }) => features)) });
    await (await work.trainer({ out: work.at('batches'), batchSize: 4, epochs: 2 }, { addon })).run();
    expect(steps.map(({ length }) => length)).toEqual([4, 2, 4, 2]);
    for (const epoch of [steps.slice(0, 2), steps.slice(2)]) expect(new Set(epoch.flat()).size).toBe(6);
    expect(steps.slice(2)).not.toEqual(steps.slice(0, 2));
  });

  it('reads masks as pixels of patches; without any the pixels of the class are not known', async () => {
    const cells: (number | undefined)[] = [];
    const addon = fake({
      onStep: async (items) => {
        for (const item of items)
          cells.push((await fakeCellsOf(item))?.reduce((sum, count) => sum + count, 0));
      },
    });
    await (await work.trainer({ out: work.at('cells'), epochs: 1 }, { addon })).run();
    expect(cells.sort()).toEqual([0, 0, 0, 192, 192, 192]);
  });

  it('tells its progress in order, to whoever iterates', async () => {
    const seen: TrainProgress[] = [];
    const trainer = await work.trainer({ out: work.at('iterated'), epochs: 2, seed: 9 });
    const run = trainer.run();
    for await (const progress of run) seen.push(progress);
    const stages = seen.map(({ stage }) => stage).filter((stage, at, all) => stage !== all[at - 1]);
    expect(stages).toEqual(['note', 'reading', 'step', 'epoch', 'step', 'epoch']);
    expect(seen[0]).toMatchObject({ text: 'set (test): 1 class, 3 normal (good) and 3 anomalous pictures' });
    const last = seen.filter((event) => event.stage === 'step').at(-1);
    expect(last).toMatchObject({ done: 12, total: 12, epoch: 2, epochs: 2, seed: 9, run: 0, runs: 1 });
    expect((await run).runs).toHaveLength(1);
  });

  it('runs once', async () => {
    const trainer = await work.trainer({ out: work.at('once'), epochs: 1 });
    await trainer.run();
    expect(() => trainer.run()).toThrow('has run already');
  });

  it('several seeds: each in its folder as if it ran alone, mean and spread told', async () => {
    const alone = await work.trainer({ out: work.at('alone'), seed: 21, epochs: 2 });
    await alone.run();
    const { spread, runs } = await (
      await work.trainer({ out: work.at('seeds'), seed: 20, seeds: 3, epochs: 2 })
    ).run();
    expect(runs.map(({ folder }) => basename(folder))).toEqual(['seed_20', 'seed_21', 'seed_22']);
    expect(await work.bytesOf(work.at('seeds', 'seed_21'))).toEqual(await work.bytesOf(work.at('alone')));
    const totals = runs.map(({ losses }) => losses.total);
    expect(spread!.total.mean).toBeCloseTo((totals[0]! + totals[1]! + totals[2]!) / 3, 12);
    expect(spread!.total.deviation).toBeGreaterThan(0);
    await access(work.at('seeds', 'report.html'));
    expect(await readRecord('seeds')).toMatchObject({ status: 'complete', learnedOn: ['set'] });
  });
});

describe('what is refused before anything is read', () => {
  it.each([[{ compat: { batchMean: true } }, 'E_MODEL_CONFIG', 'cannot be kept']])(
    'an engine with %j',
    async (engine, code, message) => {
      const error = await errorOf(
        work.trainer({ out: work.at('refused') }, { engine, addon: makeFakeAddon() }),
      );
      expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    },
  );

  it.each([
    [{ epoch: 3 }, 'createTrainer knows no option "epoch"'],
    [{ betas: [1, 0.9] }, 'Expected two numbers from 0 to below 1'],
    [{ data: [] }, 'Expected a path or a list of paths for data'],
    [{ out: '' }, 'Expected a path for out'],
    [{ engine: {} }, 'Expected an engine of loadEngine for engine'],
    [{ resume: 1 }, 'Expected true or false for resume'],
  ])('%j', async (wrong, message) => {
    const engine = await openEngine(makeFakeAddon(), work.model);
    const options = { engine, data: work.set, out: work.at('refused'), ...wrong } as never;
    expect(await errorOf(createTrainer(options))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(message),
    });
    await expect(access(work.at('refused'))).rejects.toThrow();
  });

  it('a folder with a training, unless told what to do with it', async () => {
    const out = work.at('twice');
    await (await work.trainer({ out, epochs: 2 })).run();
    const before = await work.bytesOf(out);
    expect(await errorOf(work.trainer({ out, seed: 3 }))).toMatchObject({ code: 'E_EXISTS' });
    expect(await work.bytesOf(out)).toEqual(before);
    await (await work.trainer({ out, seed: 3, epochs: 1, force: true })).run();
    // The second epoch of the earlier training is gone too: it is none of this one's.
    expect(Object.keys(await work.bytesOf(out))).toEqual([
      'epoch_1.pth',
      'prompts.safetensors',
      'state.safetensors',
    ]);
  });
});

describe('several seeds where one training was', () => {
  it('take it away with force, once they begin, and are refused otherwise', async () => {
    const out = work.at('one, then several');
    await (await work.trainer({ out, epochs: 1 })).run();
    const before = await work.bytesOf(out);
    const record = await readFile(work.at('one, then several', 'run.json'), 'utf8');
    const several = { out, seeds: 2, epochs: 1 };
    for (const ways of [{}, { resume: true }, { resume: true, force: true }])
      expect(await errorOf(work.trainer({ ...several, ...ways }))).toMatchObject({ code: 'E_EXISTS' });
    const start = work.at('no prompts.safetensors');
    const refused = await work.trainer({ ...several, force: true, start });
    expect(await errorOf(refused.run())).toMatchObject({ code: 'E_PROMPTS' });
    expect(await work.bytesOf(out)).toEqual(before);
    expect(await readFile(work.at('one, then several', 'run.json'), 'utf8')).toBe(record);
    await (await work.trainer({ ...several, force: true })).run();
    expect((await readdir(out)).sort()).toEqual(['report.html', 'run.json', 'seed_111', 'seed_112']);
    expect((await work.trainer({ ...several, resume: true })).seeds).toEqual([111, 112]);
  });

  it('and one where several were: neither goes on with what is not its own', async () => {
    const out = work.at('several, then one');
    await (await work.trainer({ out, seeds: 2, epochs: 1 })).run();
    const record = await readFile(work.at('several, then one', 'run.json'), 'utf8');
    const interrupted = work.at('several, interrupted');
    await (await work.trainer({ out: work.at('several, interrupted', 'seed_111'), epochs: 1 })).run();
    for (const place of [out, interrupted])
      for (const ways of [{}, { resume: true }])
        expect(await errorOf(work.trainer({ out: place, epochs: 1, ...ways }))).toMatchObject({
          code: 'E_EXISTS',
        });
    expect(await readFile(work.at('several, then one', 'run.json'), 'utf8')).toBe(record);
    await (await work.trainer({ out: interrupted, seeds: 2, epochs: 1, resume: true })).run();
  });

  it.each([
    ['whole, with its prompts copied there', 2, ['prompts.safetensors']],
    [
      'interrupted, beside an earlier training',
      1,
      ['epoch_1.pth', 'prompts.safetensors', 'run.json', 'state.safetensors'],
    ],
  ])('go on once the files of one are moved away: %s', async (name, seeds, strays) => {
    const out = work.at(name);
    await (await work.trainer({ out: work.at(`alone ${seeds}`), epochs: 1 })).run();
    if (seeds === 2) await (await work.trainer({ out, seeds, epochs: 1 })).run();
    else await (await work.trainer({ out: join(out, 'seed_111'), epochs: 1 })).run();
    for (const file of strays) await copyFile(work.at(`alone ${seeds}`, file), join(out, file));
    const several = { out, seeds: 2, epochs: 1, resume: true };
    expect(await errorOf(work.trainer(several))).toMatchObject({
      code: 'E_EXISTS',
      hint: `move ${strays.join(', ')} elsewhere, then go on with --resume`,
    });
    for (const file of strays) await rm(join(out, file));
    expect((await (await work.trainer(several)).run()).runs).toHaveLength(2);
  });

  it('do not take the place of a test', async () => {
    const out = work.at('a test');
    await mkdir(out);
    await writeFile(join(out, 'run.json'), '{"format": 1, "kind": "test"}');
    for (const ways of [{}, { resume: true }, { force: true }])
      for (const seeds of [1, 2])
        expect(await errorOf(work.trainer({ out, seeds, ...ways }))).toMatchObject({
          code: 'E_EXISTS',
          message: expect.stringContaining('not that of a training'),
        });
  });

  it('have their folder for themselves', async () => {
    const out = work.at('several at once');
    const first = await work.trainer({ out, seeds: 2, epochs: 1 });
    const events = first.run()[Symbol.asyncIterator]();
    await events.next();
    const second = await work.trainer({ out, seed: 7, seeds: 2, epochs: 1, force: true });
    expect(await errorOf(second.run())).toMatchObject({ code: 'E_IN_USE' });
    while (!(await events.next()).done);
  });
});

describe('a run whose caller errs', () => {
  const statusOf = async (out: string) => (await readRecord(out)).status;

  it('has no outcome when its trainer was disposed before it began', async () => {
    const trainer = await work.trainer({ out: work.at('never begun') });
    const run = trainer.run();
    await trainer.dispose();
    expect(await errorOf(run)).toMatchObject({ code: 'E_CANCELLED' });
  });

  it('is closed, its state saved, when onProgress throws', async () => {
    const trainer = await work.trainer({ out: work.at('throwing') });
    const run = trainer.run({
      onProgress: ({ stage }) => {
        if (stage === 'step') throw new Error('mine');
      },
    });
    expect((await errorOf(run)).message).toBe('mine');
    expect(await statusOf('throwing')).toBe('interrupted');
    expect(await readdir(work.at('throwing'))).toContain('state.safetensors');
  });

  it('ends, its state saved, when its iteration waits for the trainer to be disposed', async () => {
    const trainer = await work.trainer({ out: work.at('waiting') });
    const steps: TrainProgress[] = [];
    const iteration = (async () => {
      for await (const progress of trainer.run()) {
        if (progress.stage !== 'step') continue;
        steps.push(progress);
        await trainer.dispose();
      }
    })();
    expect(await errorOf(iteration)).toMatchObject({ code: 'E_CANCELLED' });
    expect(steps).toHaveLength(1);
    expect(await statusOf('waiting')).toBe('interrupted');
    expect(await readdir(work.at('waiting'))).toContain('state.safetensors');
  });

  it.each([null, { signal: {} }, { onProgress: 3 }])(
    'is refused at once with the options %j',
    async (options) => {
      const trainer = await work.trainer({ out: work.at('wrong options') });
      expect(() => trainer.run(options as never)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    },
  );

  it.each([undefined, null])('cannot be made without options (%s)', async (options) => {
    expect(await errorOf(createTrainer(options as never))).toMatchObject({ code: 'E_USAGE' });
  });
});
