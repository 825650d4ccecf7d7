/** Calls of `score` at the same time: what shares a pass, what waits, what is given up. */

import { describe, expect, it } from 'vitest';
import { codeOf, makeGate } from '../awaiting.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();

describe('calls of score', () => {
  it('batches calls at the same time, different prompts in one pass', async () => {
    const { engine, addon } = await toy.open({ maxWaitMs: 20_000, maxBatch: 5 });
    await Promise.all(
      [1, 2, 3, 4, 5].map((value) => engine.score(pixels(value), value === 3 ? { prompts: 'other' } : {})),
    );
    expect(addon.log.passes.map(({ requests }) => requests.length)).toEqual([5]);
    expect(new Set(addon.log.passes[0]!.requests.map(({ context }) => context)).size).toBe(2);
  });

  it('never exceeds maxBatch, nor mixes methods in one pass', async () => {
    const { wait: gate, open: openGate } = makeGate();
    const { engine, addon } = await toy.open({ maxBatch: 2, maxWaitMs: 0 }, { gate });
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
    const { wait: gate, open: openGate } = makeGate();
    const { engine, addon } = await toy.open({ maxWaitMs: 0, maxBatch: 2, maxQueue: 1000 }, { gate });
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
    const { wait: gate, open: openGate } = makeGate();
    const { engine } = await toy.open({ maxDecodedBytes: 1 }, { gate });
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
    const { engine, addon } = await toy.open({ maxWaitMs: 20, compat: { batchMean: true } });
    await Promise.all([1, 2, 3].map((value) => engine.score(pixels(value))));
    expect(addon.log.passes.map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  it('one faulty picture does not fail the calls that share its pass', async () => {
    const check = ({ picture }: { picture: { data: ArrayLike<number> } }) => {
      if (picture.data[0] === 2) throw Object.assign(new Error('bad'), { code: 'E_IMAGE_DECODE' });
    };
    const { engine } = await toy.open({ maxWaitMs: 20 }, { check });
    const codes = await Promise.all([1, 2, 3].map((value) => codeOf(engine.score(pixels(value)))));
    expect(codes).toEqual(['no error', 'E_IMAGE_DECODE', 'no error']);
  });

  it('refuses calls beyond maxQueue and recovers', async () => {
    const { wait: gate, open: openGate } = makeGate();
    const { engine } = await toy.open({ maxQueue: 3 }, { gate });
    const calls = [1, 2, 3, 4, 5].map((value) => codeOf(engine.score(pixels(value))));
    expect(await Promise.all(calls.slice(3))).toEqual(['E_QUEUE_FULL', 'E_QUEUE_FULL']);
    await expect(engine.score(pixels(1))).rejects.toThrow(
      /3 calls are under way or waiting, and maxQueue is 3/,
    );
    openGate();
    expect(await Promise.all(calls.slice(0, 3))).toEqual(['no error', 'no error', 'no error']);
    expect(await codeOf(engine.score(pixels(1)))).toBe('no error');
  });

  it('rejects at once when its signal fires, and cancels the pass when nobody waits for it', async () => {
    const { wait: gate, open: openGate } = makeGate();
    const { engine, addon } = await toy.open({ maxWaitMs: 0 }, { gate });
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
    const { engine, addon } = await toy.open({}, { passMs: 20 });
    const calls = [1, 2, 3].map((value) => codeOf(engine.score(pixels(value))));
    const disposed = engine.dispose();
    expect(await codeOf(engine.score(pixels(1)))).toBe('E_DISPOSED');
    await disposed;
    expect(await Promise.all(calls)).toEqual(['no error', 'no error', 'no error']);
    await engine[Symbol.asyncDispose]();
    expect(addon.log.disposed).toBe(1);
  });
});
