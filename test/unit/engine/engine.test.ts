import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { isFailed, type ScoreOutcome } from '../../../src/engine/result.js';
import { CraneError } from '../../../src/errors.js';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import type { Model } from '../../../src/models/model-json.js';
import type { EngineOptions } from '../../../src/options/types.js';
import { type FakeBehaviour, makeFakeAddon } from './fake-addon.js';
import { makeToyFolder, makeToyModel, pixels, writePicture } from './toy-model.js';

let folder: string;
let model: Model;
beforeAll(async () => {
  folder = await makeToyFolder();
  model = await makeToyModel(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(options: EngineOptions = {}, behaviour: FakeBehaviour = {}) {
  const addon = makeFakeAddon(behaviour);
  return { addon, engine: await openEngine(addon, model, options) };
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: CraneError) => error.code,
  );
async function collect(results: AsyncIterable<ScoreOutcome>): Promise<ScoreOutcome[]> {
  const list: ScoreOutcome[] = [];
  for await (const result of results) list.push(result);
  return list;
}
/** A gate that the test opens. */
function makeGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate: () => opened, open };
}

describe('score', () => {
  it('gives one result as the contract states it', async () => {
    const { engine } = await open();
    const path = await writePicture(join(folder, 'ä b.png'), 204, 40, 30);
    const result = await engine.score(path);
    expect(result).toEqual({
      input: path,
      index: 0,
      score: expect.closeTo(0.8, 2),
      anomalous: true,
      threshold: 0.5,
      width: 40,
      height: 30,
      model: expect.stringMatching(/^toy@[0-9a-f]{12}$/),
      ms: { decode: expect.any(Number), preprocess: 1, forward: 2, postprocess: 3 },
    });
    expect(result.model).toBe(engine.facts.model);
  });

  it("returns map and regions when asked, in the picture's pixels", async () => {
    const { engine } = await open();
    const result = await engine.score(pixels(255, 40, 30), { map: true, regions: true });
    expect(result.map).toMatchObject({ width: 8, height: 8 });
    expect(result.mapMax).toBe(1);
    expect((await engine.score(pixels(255), { regions: true })).mapMax).toBeUndefined();
    expect(result.regions).toEqual([{ x: 0, y: 0, width: 40, height: 30, area: 1200, peak: 1, mean: 1 }]);
    const resized = await result.map!.resizeTo(40, 30);
    expect(resized).toMatchObject({ width: 40, height: 30 });
    const metadata = await sharp(await resized.toPng()).metadata();
    expect(metadata).toMatchObject({ width: 40, height: 30, depth: 'ushort', channels: 1 });
  });

  it('writes maps as 16-bit PNG without losing a level', async () => {
    const data = Float32Array.from({ length: 12 }, (_, at) => at / 11);
    const map = new AnomalyMap({ data, width: 4, height: 3 }, makeFakeAddon());
    const raw = await sharp(await map.toPng())
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer();
    const levels = new Uint16Array(Uint8Array.from(raw).buffer);
    expect([...levels]).toEqual([...data].map((value) => Math.round(value * 65535)));
  });

  it('uses the stored threshold only with the settings it was calibrated for', async () => {
    const { engine } = await open();
    const threshold = async (options: object) => (await engine.score(pixels(200), options)).threshold;
    expect(await threshold({})).toBe(0.5);
    expect(await threshold({ sigma: 4 })).toBe(0.5);
    expect(await threshold({ sigma: 2 })).toBeNull();
    expect(await threshold({ prompts: 'other' })).toBeNull();
    expect(await threshold({ fit: 'pad' })).toBeNull();
    expect(await threshold({ prompts: 'other', threshold: 0.7 })).toBe(0.7);
    expect(await threshold({ threshold: null })).toBeNull();
    const { anomalous, regions } = await engine.score(pixels(200), { sigma: 2, regions: true });
    expect([anomalous, regions]).toEqual([null, null]);
  });

  it('labels results with a hash that changes with prompts and method', async () => {
    const { engine } = await open();
    const labels = [{}, { prompts: 'other' }, { sigma: 2 }, { fit: 'pad' as const }, { threshold: 0.1 }];
    const models = await Promise.all(
      labels.map(async (options) => (await engine.score(pixels(1), options)).model),
    );
    expect(new Set(models).size).toBe(4);
    expect(models[4]).toBe(models[0]);
  });

  it('encodes a prompt set once per method, and again when its file changed', async () => {
    const { engine, addon } = await open();
    const path = join(folder, 'mine.pth');
    await writeFile(path, 'one');
    await Promise.all([
      engine.score(pixels(1)),
      engine.score(pixels(2), { prompts: path }),
      engine.score(pixels(3), { prompts: path }),
    ]);
    expect(addon.log.prompts.map(({ material }) => material.files['prompts'])).toEqual([
      join(folder, 'prompts.safetensors'),
      path,
    ]);
    await writeFile(path, 'changed');
    await engine.score(pixels(2), { prompts: path });
    expect(addon.log.prompts).toHaveLength(3);
    expect([...addon.log.prompts[0]!.material.texts['normal']![0]!.subarray(0, 4)]).toEqual([
      49406, 343, 14115, 269,
    ]);
    expect(await codeOf(engine.score(pixels(1), { prompts: 'nosuch' }))).toBe('E_PROMPTS');
  });

  it('batches calls at the same time, different prompts in one pass', async () => {
    const { engine, addon } = await open({ maxWaitMs: 20 });
    await Promise.all(
      [1, 2, 3, 4, 5].map((value) => engine.score(pixels(value), value === 3 ? { prompts: 'other' } : {})),
    );
    expect(addon.log.passes.map(({ requests }) => requests.length)).toEqual([5]);
    expect(new Set(addon.log.passes[0]!.requests.map(({ context }) => context)).size).toBe(2);
  });

  it('never exceeds maxBatch, nor mixes methods in one pass', async () => {
    const { gate, open: openGate } = makeGate();
    const { engine, addon } = await open({ maxBatch: 2, maxWaitMs: 0 }, { gate });
    const sigmas = [4, 1, 4, 1, 4, 4, 1, 4];
    const calls = sigmas.map((sigma) => engine.score(pixels(9), { sigma }));
    // Two passes are in the engine; the other calls pile up behind them.
    while (addon.log.passes.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    openGate();
    const scores = (await Promise.all(calls)).map(({ score }) => score);
    expect(Math.max(...addon.log.passes.map(({ requests }) => requests.length))).toBe(2);
    expect(addon.log.passes.flatMap(({ requests }) => requests)).toHaveLength(sigmas.length);
    for (const sigma of [1, 4]) {
      const { score } = await engine.score(pixels(9), { sigma });
      expect(
        scores.filter((_, at) => sigmas[at] === sigma).every((got) => Math.abs(got - score) < 5e-5),
      ).toBe(true);
    }
  });

  it('is not kept waiting by long runs of scoreMany, nor keeps them waiting', async () => {
    const { gate, open: openGate } = makeGate();
    const { engine, addon } = await open({ maxWaitMs: 0, maxBatch: 2, maxQueue: 1000 }, { gate });
    function* endless() {
      while (true) yield pixels(7);
    }
    const runs = Array.from({ length: 5 }, () => engine.scoreMany(endless(), { batch: 3 }));
    const controller = new AbortController();
    const consumed = Promise.all(
      runs.map(async (run) => {
        for await (const _ of run) if (controller.signal.aborted) break;
      }),
    );
    const pictures = async (count: number) => {
      while (engine.decodedBytes < count * pixels(1).data.length) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 10));
    };
    // Four units of each run: two are in the engine, eighteen wait; then comes the call.
    await pictures(5 * 4 * 3);
    const call = engine.score(pixels(1));
    await pictures(5 * 4 * 3 + 1);
    openGate();
    await call;
    const sizes = () => addon.log.passes.map(({ requests }) => requests.length);
    expect(sizes().indexOf(1)).toBeLessThanOrEqual(3);

    const from = addon.log.passes.length;
    await Promise.all(Array.from({ length: 40 }, (_, value) => engine.score(pixels(value))));
    const whole = sizes()
      .slice(from)
      .filter((size) => size === 3).length;
    expect(whole).toBeGreaterThanOrEqual(10);
    controller.abort();
    await consumed;
  });

  it('a call that waits for memory can be given up', async () => {
    const { gate, open: openGate } = makeGate();
    const { engine } = await open({ maxDecodedBytes: 1 }, { gate });
    const first = engine.score(pixels(1));
    const controller = new AbortController();
    const second = codeOf(engine.score(pixels(2), { signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    expect(await second).toBe('E_CANCELLED');
    openGate();
    expect((await first).index).toBe(0);
  });

  it('shares no pass under compat.batchMean', async () => {
    const { engine, addon } = await open({ maxWaitMs: 20, compat: { batchMean: true } });
    await Promise.all([1, 2, 3].map((value) => engine.score(pixels(value))));
    expect(addon.log.passes.map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  it('one faulty picture does not fail the calls that share its pass', async () => {
    const check = ({ picture }: { picture: { data: ArrayLike<number> } }) => {
      if (picture.data[0] === 2) throw Object.assign(new Error('bad'), { code: 'E_IMAGE_DECODE' });
    };
    const { engine } = await open({ maxWaitMs: 20 }, { check });
    const codes = await Promise.all([1, 2, 3].map((value) => codeOf(engine.score(pixels(value)))));
    expect(codes).toEqual(['no error', 'E_IMAGE_DECODE', 'no error']);
  });

  it('refuses calls beyond maxQueue and recovers', async () => {
    const { gate, open: openGate } = makeGate();
    const { engine } = await open({ maxQueue: 3 }, { gate });
    const calls = [1, 2, 3, 4, 5].map((value) => codeOf(engine.score(pixels(value))));
    expect(await Promise.all(calls.slice(3))).toEqual(['E_QUEUE_FULL', 'E_QUEUE_FULL']);
    openGate();
    expect(await Promise.all(calls.slice(0, 3))).toEqual(['no error', 'no error', 'no error']);
    expect(await codeOf(engine.score(pixels(1)))).toBe('no error');
  });

  it('rejects at once when its signal fires, and cancels the pass when nobody waits for it', async () => {
    const { gate, open: openGate } = makeGate();
    const { engine, addon } = await open({ maxWaitMs: 0 }, { gate });
    const controller = new AbortController();
    const call = codeOf(engine.score(pixels(1), { signal: controller.signal }));
    while (addon.log.passes.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    expect(await call).toBe('E_CANCELLED');
    openGate();
    expect(await codeOf(engine.score(pixels(1), { signal: controller.signal }))).toBe('E_CANCELLED');
    expect(await codeOf(engine.score(pixels(1)))).toBe('no error');
  });

  it('finishes accepted work before it frees the engine, and refuses what comes later', async () => {
    const { engine, addon } = await open({}, { passMs: 20 });
    const calls = [1, 2, 3].map((value) => codeOf(engine.score(pixels(value))));
    const disposed = engine.dispose();
    expect(await codeOf(engine.score(pixels(1)))).toBe('E_DISPOSED');
    await disposed;
    expect(await Promise.all(calls)).toEqual(['no error', 'no error', 'no error']);
    await engine[Symbol.asyncDispose]();
    expect(addon.log.disposed).toBe(1);
  });

  it.each([
    [{ treshold: 0.5 }, /score knows no option "treshold"/, 'did you mean "threshold"?'],
    [{ threads: 2 }, /score takes no option "threads": it belongs to loadEngine/, undefined],
    [
      { threshold: '0.5' },
      /Expected a number from 0 to 1, or none \(null\) for threshold but received '0.5' of type string/,
      undefined,
    ],
    [{ compat: { batchmean: true } }, /no option "compat.batchmean"/, 'did you mean "compat.batchMean"?'],
    [7, /Expected an object for the options of score but received 7 of type number/, undefined],
  ])('refuses %j by name', async (options, message, hint) => {
    const { engine } = await open();
    const error = await engine.score(pixels(1), options as object).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({ code: 'E_USAGE', message: expect.stringMatching(message), hint });
  });
});

describe('loadEngine', () => {
  it('takes another input size, and passes on the refusal of one that does not fit the patch', async () => {
    const { engine } = await open({ size: { width: 56, height: 28 } });
    expect(engine.facts.input).toEqual({ width: 56, height: 28 });
    expect(await codeOf(open({ size: 30 }))).toBe('E_MODEL_CONFIG');
  });

  it('names a weight file that is missing', async () => {
    const other = await makeToyModel(join(folder, 'broken'), (json) => {
      json.weights[0]!.file = 'gone.safetensors';
    });
    expect(await codeOf(openEngine(makeFakeAddon(), other))).toBe('E_WEIGHTS_NOT_FOUND');
  });
});

describe('scoreMany', () => {
  const values = Array.from({ length: 23 }, (_, index) => 10 * index);

  it.each([1, 3, 8])('gives the same results in order at batch %i', async (batch) => {
    const { engine } = await open();
    const results = await collect(
      engine.scoreMany(
        values.map((value) => pixels(value)),
        { batch },
      ),
    );
    expect(results.map((result) => (result as { score: number }).score)).toEqual(
      await Promise.all(values.map(async (value) => (await engine.score(pixels(value))).score)),
    );
    expect(results.map(({ index }) => index)).toEqual([...values.keys()]);
  });

  it.each([
    ['a path', 'a.png'],
    ['bytes', new Uint8Array(4)],
    ['a buffer', Buffer.from('png')],
    ['a picture', { input: 'a.png' }],
    ['nothing', undefined],
  ])('refuses %s alone, at once', async (_, source) => {
    const { engine } = await open();
    expect(() => engine.scoreMany(source as never)).toThrow(
      expect.objectContaining({
        code: 'E_USAGE',
        message: expect.stringContaining('Expected a list or stream of pictures for the source'),
      }),
    );
  });

  it.each([
    ['cpu', 1],
    ['cuda:0', 16],
    ['cuda:0,cuda:1', 32],
  ])('fills every device of %s', async (device, most) => {
    const { engine, addon } = await open({ device });
    await collect(engine.scoreMany(Array.from({ length: 40 }, (_, index) => pixels(index))));
    expect(Math.max(...addon.log.passes.map(({ requests }) => requests.length))).toBe(most);
  });

  it('a failing input gives a result with its error and the rest goes on', async () => {
    const { engine } = await open();
    const good = await writePicture(join(folder, 'good.png'), 100);
    const inputs = [
      good,
      join(folder, 'missing.png'),
      'http://localhost/a.png',
      5 as never,
      { input: good, name: 'again' },
      { input: good, prompts: 7 as never },
    ];
    const results = await collect(engine.scoreMany(inputs, { batch: 4 }));
    expect(results.map((result) => (isFailed(result) ? result.error.code : result.input))).toEqual([
      good,
      'E_INPUT_NOT_FOUND',
      'E_INPUT_URL',
      'E_USAGE',
      'again',
      'E_USAGE',
    ]);
    expect(results[1]).toMatchObject({ input: join(folder, 'missing.png'), index: 1 });
  });

  it('gives results as they finish when not ordered', async () => {
    const slow = makeGate();
    const { engine } = await open({}, { gate: async () => {}, passMs: 1 });
    async function* source() {
      yield { input: pixels(1), name: 'first' };
      yield { input: pixels(2), name: 'second' };
    }
    slow.open();
    const names = (await collect(engine.scoreMany(source(), { ordered: false }))).map(({ input }) => input);
    expect(names.sort()).toEqual(['first', 'second']);
  });

  it('reads the source only as far as the results are taken', async () => {
    const { engine } = await open();
    let read = 0;
    function* source() {
      while (true) {
        read++;
        yield pixels(1);
      }
    }
    const results = engine.scoreMany(source(), { batch: 2 });
    for (let taken = 0; taken < 6; taken++) await results.next();
    expect(read).toBeLessThanOrEqual(6 + 2 * 5);
    await results.return?.();
  });

  it('keeps decoded pictures within maxDecodedBytes plus one unit', async () => {
    const bytes = 32 * 24 * 3;
    let most = 0;
    const { engine, addon } = await open({ maxDecodedBytes: 3 * bytes }, { passMs: 3 });
    const original = addon.createCancelFlag;
    addon.createCancelFlag = () => {
      most = Math.max(most, engine.decodedBytes);
      return original();
    };
    await collect(
      engine.scoreMany(
        values.map((value) => pixels(value)),
        { batch: 2 },
      ),
    );
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual((3 + 2) * bytes);
  });

  it('ends with E_CANCELLED when its signal fires', async () => {
    const { engine } = await open();
    const controller = new AbortController();
    const taken: ScoreOutcome[] = [];
    const run = async () => {
      for await (const result of engine.scoreMany(
        values.map((value) => pixels(value)),
        { signal: controller.signal },
      )) {
        taken.push(result);
        if (taken.length === 2) controller.abort();
      }
    };
    expect(await codeOf(run())).toBe('E_CANCELLED');
    expect(taken.length).toBeLessThan(values.length);
  });
});

describe('scorePreprocessed', () => {
  it('checks the shape and returns one score per picture', async () => {
    const { engine } = await open();
    const scores = await engine.scorePreprocessed(new Float32Array(2 * 3 * 28 * 28).fill(0.25), {
      batch: 2,
      size: 28,
      map: true,
    });
    expect(scores.map(({ score }) => score)).toEqual([0.25, 0.25]);
    expect(scores[0]!.map).toMatchObject({ width: 28, height: 28 });
    expect(await codeOf(engine.scorePreprocessed(new Float32Array(5), { batch: 1, size: 28 }))).toBe(
      'E_IMAGE_SHAPE',
    );
    expect(await codeOf(engine.scorePreprocessed([] as never, { batch: 1, size: 28 }))).toBe('E_USAGE');
  });

  const k_values = 3 * 28 * 28;
  const tensor = (batch: number) => new Float32Array(batch * k_values).fill(0.25);

  it('waits its turn in the one queue, as the pictures it is', async () => {
    const { engine } = await open({ maxQueue: 2 }, { passMs: 30 });
    const first = engine.scorePreprocessed(tensor(5), { batch: 5, size: 28 });
    const second = engine.score(pixels(1));
    const third = codeOf(engine.scorePreprocessed(tensor(1), { batch: 1, size: 28 }));
    expect(engine.queue.depth).toBe(6);
    expect(await third).toBe('E_QUEUE_FULL');
    expect(await first).toHaveLength(5);
    await second;
    expect(engine.queue).toMatchObject({ depth: 0, inFlight: 0, passes: 2 });
  });

  it('is counted in the memory limit, and copied in pieces before a thread reads it', async () => {
    const { engine } = await open({ maxDecodedBytes: 100 });
    const input = tensor(200);
    const scoring = engine.scorePreprocessed(input, { batch: 200, size: 28 });
    // It is not there yet that a copy could hold up the loop: the caller's array is gone before its end.
    await new Promise(setImmediate);
    structuredClone(input.buffer, { transfer: [input.buffer] });
    expect(await codeOf(scoring)).toBe('E_IMAGE_SHAPE');
    expect(engine.decodedBytes).toBe(0);
  });

  it('is given up by its signal and with the engine', async () => {
    const { engine, addon } = await open({}, { passMs: 30 });
    const stop = new AbortController();
    const busy = engine.scorePreprocessed(tensor(1), { batch: 1, size: 28 });
    const given = codeOf(engine.scorePreprocessed(tensor(1), { batch: 1, size: 28, signal: stop.signal }));
    stop.abort();
    expect(await given).toBe('E_CANCELLED');
    const closing = engine.dispose();
    expect(await busy).toHaveLength(1);
    await closing;
    expect(await codeOf(engine.scorePreprocessed(tensor(1), { batch: 1, size: 28 }))).toBe('E_DISPOSED');
    expect(addon.log.disposed).toBe(1);
  });
});

it('a CraneError is what callers catch', async () => {
  const { engine } = await open();
  await expect(engine.score(join(folder, 'no.png'))).rejects.toBeInstanceOf(CraneError);
});
