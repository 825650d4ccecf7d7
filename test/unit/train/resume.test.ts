import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256OfFile } from '../../../src/files/content-hash.js';
import type { RunRecord } from '../../../src/runs/training-record.js';
import type { TrainerOptions } from '../../../src/train/trainer.js';
import { writePicture } from '../engine/toy-model.js';
import { leave, livingProcess } from '../files/left.js';
import { writeToySet } from './toy-set.js';
import { errorOf, fake, useWorkplace } from './workplace.js';

const work = useWorkplace();
const options = { epochs: 3, seed: 4 };
/** 6 pictures, 2 a step */
const k_steps = 9;

async function whole(name: string, more: Partial<TrainerOptions> = {}): Promise<Record<string, string>> {
  const out = work.at(name);
  await (await work.trainer({ out, ...options, ...more })).run();
  return work.bytesOf(out);
}

/** Interrupts a run while its `at`-th step is made. */
async function interrupt(out: string, at: number, more: Partial<TrainerOptions> = {}): Promise<unknown> {
  const stop = new AbortController();
  let step = 0;
  const addon = fake({
    onStep: () => {
      if (++step === at) stop.abort();
    },
  });
  const trainer = await work.trainer({ out, ...options, ...more }, { addon });
  return errorOf(trainer.run({ signal: stop.signal }));
}

describe('an interrupted run', () => {
  it('finishes the step, saves, says how to go on; gone on with, it ends in the same bytes, wherever it was', async () => {
    const expected = await whole('uninterrupted');
    for (let at = 1; at < k_steps; at++) {
      const out = work.at(`interrupted ${at}`);
      expect(await interrupt(out, at)).toMatchObject({
        code: 'E_CANCELLED',
        message: expect.stringContaining(`after ${at % 3} steps`),
        hint: 'the same command with --resume goes on',
      });
      expect(JSON.parse(await readFile(`${out}/run.json`, 'utf8'))).toMatchObject({ status: 'interrupted' });
      await (await work.trainer({ out, ...options, resume: true })).run();
      expect(await work.bytesOf(out), `step ${at}`).toEqual(expected);
      expect(JSON.parse(await readFile(`${out}/run.json`, 'utf8'))).toMatchObject({
        status: 'complete',
        epochs: [{ epoch: 1 }, { epoch: 2 }, { epoch: 3 }],
      });
    }
  });

  it('keeps the checksums of the epochs that were done before', async () => {
    const out = work.at('checksums');
    await interrupt(out, 7);
    await (await work.trainer({ out, ...options, resume: true })).run();
    const { epochs } = JSON.parse(await readFile(`${out}/run.json`, 'utf8')) as RunRecord;
    for (const { checkpoint, sha256 } of epochs)
      expect(sha256, checkpoint).toBe(await sha256OfFile(`${out}/${checkpoint}`));
    expect(epochs).toHaveLength(3);
  });

  it('does not repeat steps that were saved', async () => {
    const out = work.at('not repeated');
    await interrupt(out, 4);
    let steps = 0;
    const addon = fake({ onStep: () => void steps++ });
    await (await work.trainer({ out, ...options, resume: true }, { addon })).run();
    expect(steps).toBe(k_steps - 4);
  });

  it('is complete when the signal comes with its last step', async () => {
    const out = work.at('last step');
    const stop = new AbortController();
    let step = 0;
    const addon = fake({ onStep: () => void (++step === k_steps && stop.abort()) });
    await (await work.trainer({ out, ...options }, { addon })).run({ signal: stop.signal });
    expect(Object.keys(await work.bytesOf(out))).toContain('prompts.safetensors');
  });

  it('can be left by its consumer, and be ended by disposing the trainer', async () => {
    const expected = await whole('left: whole');
    const left = work.at('left');
    for await (const progress of (await work.trainer({ out: left, ...options })).run())
      if (progress.stage === 'step' && progress.done === 8) break;
    const disposed = work.at('disposed');
    const trainer = await work.trainer({ out: disposed, ...options });
    const run = trainer.run({ onProgress: ({ stage }) => void (stage === 'step' && trainer.dispose()) });
    expect(await errorOf(run)).toMatchObject({ code: 'E_CANCELLED' });
    for (const out of [left, disposed]) {
      await (await work.trainer({ out, ...options, resume: true })).run();
      expect(await work.bytesOf(out)).toEqual(expected);
    }
  });

  it('goes on within an epoch from the last saved state after a kill', async () => {
    const expected = await whole('killed: whole', { saveEvery: 2 });
    const out = work.at('killed');
    // After the kill nothing can be written any more.
    let steps = 0;
    const addon = fake({
      onStep: () => void steps++,
      beforeWrite: () => {
        if (steps === 8) throw new Error('killed');
      },
    });
    await errorOf((await work.trainer({ out, ...options, saveEvery: 2 }, { addon })).run());
    steps = 0;
    const again = fake({ onStep: () => void steps++ });
    await (await work.trainer({ out, ...options, saveEvery: 2, resume: true }, { addon: again })).run();
    // Step 6 ended the second epoch, step 8 could not be saved.
    expect(steps).toBe(3);
    expect(await work.bytesOf(out)).toEqual(expected);
  });
});

describe('going on', () => {
  it('starts where nothing is, and leaves a complete run as it is', async () => {
    const out = work.at('fresh');
    await (await work.trainer({ out, ...options, resume: true })).run();
    const before = await work.bytesOf(out);
    const addon = fake({
      onStep: () => {
        throw new Error('no step is wanted');
      },
    });
    await (await work.trainer({ out, ...options, resume: true }, { addon })).run();
    expect(await work.bytesOf(out)).toEqual(before);
    await rm(`${out}/prompts.safetensors`);
    await (await work.trainer({ out, ...options, resume: true })).run();
    expect(await work.bytesOf(out)).toEqual(before);
  });

  it('adds epochs, with the bytes of a run that had them from the start', async () => {
    const expected = await whole('five', { epochs: 5 });
    const out = work.at('three and two');
    await (await work.trainer({ out, ...options })).run();
    await (await work.trainer({ out, ...options, epochs: 5, resume: true })).run();
    expect(await work.bytesOf(out)).toEqual(expected);
  });

  it("takes away what killed processes left half-written, and nothing of anybody else's", async () => {
    const out = work.at('half');
    await interrupt(out, 2);
    // The number of a killed process may be that of a living one by now.
    const living = await livingProcess();
    try {
      await leave(join(out, 'run.json'), living.pid);
      await leave(join(out, 'report.html'));
      const native = [
        'epoch_1.pth.999-0.tmp',
        'state.safetensors.999-1.tmp',
        'prompts.safetensors.999-2.tmp',
      ];
      const others = ['notes.tmp', 'mine.pth.999-0.tmp', 'epoch_1.pth.tmp', '.run.json.swp.tmp'];
      for (const name of [...native, ...others]) await writeFile(join(out, name), 'half');
      await (await work.trainer({ out, ...options, resume: true })).run();
      const left = (await readdir(out)).filter((name) => name.endsWith('.tmp'));
      expect(left.sort()).toEqual(others.sort());
    } finally {
      await living.end();
    }
  });

  it.each<[string, Partial<TrainerOptions>, string]>([
    ['another learning rate', { learningRate: 0.5 }, 'training.learningRate is 0.5, was 0.001'],
    ['another batch size', { batchSize: 3 }, 'loop.batchSize is 3, was 2'],
    ['another seed', { seed: 5 }, 'loop.seed is 5, was 4'],
    ['exact features', { cachePrecision: 'f32' }, 'features is '],
    ['fewer pictures', { portion: 0.4 }, 'data.hash is '],
    ['fewer epochs than are done', { epochs: 1 }, 'is in epoch 2 already, 1 epochs are wanted'],
  ])('refuses %s and changes nothing', async (name, change, message) => {
    const out = work.at(`other ${name}`);
    await interrupt(out, 5);
    const before = await work.bytesOf(out);
    const record = await readFile(`${out}/run.json`);
    const trainer = await work.trainer({ out, ...options, ...change, resume: true });
    expect(await errorOf(trainer.run())).toMatchObject({
      code: 'E_TRAIN_RESUME',
      message: expect.stringContaining(message),
    });
    expect(await work.bytesOf(out)).toEqual(before);
    expect(await readFile(`${out}/run.json`)).toEqual(record);
  });

  it('refuses another rate of mosaics from the same pool, and has no word of a rate where there are none', async () => {
    const out = work.at('mosaics');
    const mosaics = { mosaicRate: 0.5, mosaicPool: 4, mosaicClasses: ['tile'] };
    await interrupt(out, 5, mosaics);
    const other = await work.trainer({ out, ...options, ...mosaics, mosaicRate: 0.1, resume: true });
    expect(await errorOf(other.run())).toMatchObject({
      code: 'E_TRAIN_RESUME',
      message: expect.stringContaining('loop.mosaicRate is 0.1, was 0.5'),
    });
    await (await work.trainer({ out, ...options, ...mosaics, resume: true })).run();
    const plain = work.at('no mosaics');
    await (await work.trainer({ out: plain, ...options })).run();
    const { made } = JSON.parse(await readFile(join(plain, 'run.json'), 'utf8')) as RunRecord;
    expect(made.loop).toEqual({ batchSize: 2, seed: 4, order: 'seeded' });
  });

  it('refuses changed pictures and other kernels, naming them', async () => {
    const data = await writeToySet(work.at('changing'));
    const out = work.at('changed');
    await interrupt(out, 5, { data });
    const addon = fake();
    addon.info = async () => ({ ...(await fake().info()), isa: 'avx2' });
    const trainer = await work.trainer({ out, ...options, data, resume: true }, { addon });
    expect((await errorOf(trainer.run())).message).toContain('machine.isa is "avx2", was "plain"');
    await writePicture(`${data}/test/good_0.png`, 200);
    const changed = await work.trainer({ out, ...options, data, resume: true });
    expect((await errorOf(changed.run())).message).toContain('data.hash is ');
  });

  it('refuses a state that cannot be read', async () => {
    const out = work.at('damaged');
    await interrupt(out, 5);
    await truncate(`${out}/state.safetensors`, 100);
    const trainer = await work.trainer({ out, ...options, resume: true });
    expect(await errorOf(trainer.run())).toMatchObject({
      code: 'E_TRAIN_RESUME',
      message: expect.stringContaining('cannot be gone on from'),
    });
  });
});

describe('a saved state with a place that cannot be', () => {
  interface FakeState {
    extra: { 'extra.order': { data: number[] }; 'extra.losses': { data: number[] } };
    metadata: { state: string };
  }
  const place = (change: object) => (saved: FakeState) => {
    saved.metadata.state = JSON.stringify({ ...JSON.parse(saved.metadata.state), ...change });
  };

  it.each<[string, (saved: FakeState) => void]>([
    ['an index beyond the pictures', (saved) => void saved.extra['extra.order'].data.splice(5, 1, 6)],
    ['an index below 0', (saved) => void saved.extra['extra.order'].data.splice(5, 1, -1)],
    ['an order of fewer pictures', (saved) => void saved.extra['extra.order'].data.pop()],
    ['losses of fewer steps', (saved) => void saved.extra['extra.losses'].data.splice(0, 4)],
    ['half a step of losses', (saved) => void saved.extra['extra.losses'].data.pop()],
    ['an epoch below 0', place({ epoch: -3 })],
    ['another epoch', place({ epoch: 2 })],
    ['a step below 0', place({ step: -1 })],
    ['a step beyond the epoch', place({ step: 77 })],
    ['a step that is no number', place({ step: '2' })],
    ['a generator that is no JSON', place({ generator: 'hello' })],
    ['a generator of two words', place({ generator: '[1,2]' })],
    ['no place at all', (saved) => void Object.assign(saved.metadata, { state: 'null' })],
  ])('is refused: %s', async (name, damage) => {
    const out = work.at(`place ${name}`);
    await interrupt(out, 5);
    const path = `${out}/state.safetensors`;
    const saved = JSON.parse(await readFile(path, 'utf8')) as FakeState;
    damage(saved);
    await writeFile(path, JSON.stringify(saved));
    let steps = 0;
    const addon = fake({ onStep: () => void steps++ });
    const trainer = await work.trainer({ out, ...options, resume: true }, { addon });
    expect(await errorOf(trainer.run())).toMatchObject({
      code: 'E_TRAIN_RESUME',
      message: expect.stringContaining('cannot be gone on from'),
    });
    expect(steps).toBe(0);
  });
});

describe('a run that fails', () => {
  it('keeps the state before a loss that is no number, and says what to do', async () => {
    const out = work.at('diverged');
    const trainer = await work.trainer({ out, ...options }, { addon: fake({ divergeAt: 5 }) });
    expect(await errorOf(trainer.run())).toMatchObject({ code: 'E_TRAIN_DIVERGED' });
    expect(JSON.parse(await readFile(`${out}/run.json`, 'utf8'))).toMatchObject({
      status: 'failed',
      error: { code: 'E_TRAIN_DIVERGED' },
      epochs: [{ epoch: 1 }],
    });
    const state = JSON.parse(await readFile(`${out}/state.safetensors`, 'utf8'));
    expect(state.state.steps).toBe(4);
  });

  it.each(['epoch_2.pth', 'state.safetensors', 'prompts.safetensors'])(
    'keeps what was written when %s cannot be',
    async (file) => {
      const expected = await whole(`full disk: whole ${file}`);
      const out = work.at(`full disk ${file}`);
      let written = 0;
      const addon = fake({
        beforeWrite: (path) => {
          if (path.endsWith(file) && (file !== 'state.safetensors' || ++written > 1))
            throw Object.assign(new Error('no space left'), { code: 'E_IO_WRITE', hint: 'free some space' });
        },
      });
      const error = await errorOf((await work.trainer({ out, ...options }, { addon })).run());
      expect(error).toMatchObject({ code: 'E_IO_WRITE', hint: 'free some space' });
      expect((await work.bytesOf(out))['epoch_1.pth']).toBe(expected['epoch_1.pth']);
      await (await work.trainer({ out, ...options, resume: true })).run();
      expect(await work.bytesOf(out)).toEqual(expected);
    },
  );
});
