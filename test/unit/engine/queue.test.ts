/** What callers of an engine can say about the queue, and ask of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { isFailed } from '../../../src/engine/result.js';
import type { EngineOptions } from '../../../src/options/types.js';
import { codeOf, collect, makeGate } from '../awaiting.js';
import { makeFakeAddon } from './fake-addon.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();

/** An engine in which two passes wait for the gate. */
async function openBusy(options: EngineOptions = {}) {
  const gate = makeGate();
  const addon = makeFakeAddon({ gate: gate.wait });
  const engine = await openEngine(addon, toy.model(), { maxWaitMs: 0, maxBatch: 1, ...options });
  const first = [engine.score(pixels(1)), engine.score(pixels(2))];
  while (addon.log.passes.length < 2) await sleep(1);
  const order = () => addon.log.passes.slice(2).map(({ requests }) => requests[0]!.picture.data[0]);
  const finish = async () => {
    gate.open();
    await Promise.all(first);
  };
  return { engine, addon, order, finish };
}

it('a higher priority goes first, of calls and of streams', async () => {
  const { engine, order, finish } = await openBusy();
  const waiting = [
    engine.score(pixels(10)),
    collect(engine.scoreMany([pixels(20)], { priority: 1 })),
    engine.score(pixels(30), { priority: 2 }),
    engine.score(pixels(40), { priority: -1 }),
  ];
  const held = 6 * pixels(1).data.length;
  while (engine.decodedBytes < held) await sleep(1);
  await sleep(1);
  await finish();
  await Promise.all(waiting);
  expect(order()).toEqual([30, 20, 10, 40]);
});

it('a deadline rejects a call, and is the outcome of the pictures of a stream', async () => {
  const { engine, order, finish } = await openBusy();
  const [code, outcomes] = await Promise.all([
    codeOf(engine.score(pixels(10), { deadlineMs: 15 })),
    collect(engine.scoreMany([pixels(20), pixels(30), pixels(40)], { deadlineMs: 15, batch: 2 })),
  ]);
  expect(code).toBe('E_DEADLINE');
  expect(outcomes.map((outcome) => isFailed(outcome) && [outcome.index, outcome.error.code])).toEqual([
    [0, 'E_DEADLINE'],
    [1, 'E_DEADLINE'],
    [2, 'E_DEADLINE'],
  ]);
  await finish();
  expect(await codeOf(engine.score(pixels(50), { deadlineMs: 60_000 }))).toBe('no error');
  expect(order()).toEqual([50]);
});

it('the queue is told in pictures', async () => {
  const { engine, finish } = await openBusy();
  const more = [engine.score(pixels(3)), collect(engine.scoreMany([pixels(4), pixels(5)], { batch: 2 }))];
  while (engine.queue.depth < 3) await sleep(1);
  expect(engine.queue).toMatchObject({ depth: 3, inFlight: 2, passes: 0, retryAfterMs: null });
  await finish();
  await Promise.all(more);
  expect(engine.queue).toMatchObject({ depth: 0, inFlight: 0, waitingMs: 0, passes: 4 });
  expect(engine.queue.retryAfterMs).toBe(0);
});

it.each([
  [{ priority: 0.5 }, /a whole number from -100 to 100 for priority/],
  [{ priority: 101 }, /a whole number from -100 to 100 for priority/],
  [{ deadlineMs: -1 }, /a number from 0 to 2147483647 for deadlineMs/],
])('%j is refused', async (options, message) => {
  const engine = await openEngine(makeFakeAddon(), toy.model());
  const expected = { code: 'E_USAGE', message: expect.stringMatching(message) };
  await expect(engine.score(pixels(1), options)).rejects.toMatchObject(expected);
  expect(() => engine.scoreMany([], options)).toThrow(expect.objectContaining(expected));
});

it('an option of the method beside a single picture of a stream is refused, not left out', async () => {
  const engine = await openEngine(makeFakeAddon(), toy.model());
  const items = [{ input: pixels(1), sigma: 2 } as never, { input: pixels(2), prompts: 'other' }];
  const [wrong, right] = await collect(engine.scoreMany(items, {}));
  expect(wrong).toMatchObject({
    error: {
      code: 'E_USAGE',
      message: 'a picture of a source takes no "sigma"',
      hint: expect.stringMatching(/prompts/),
    },
  });
  expect(isFailed(right!)).toBe(false);
});

it('one signal for many calls and pictures warns of no leak', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const { engine, finish } = await openBusy({ maxBatch: 8 });
  const { signal } = new AbortController();
  const calls = Array.from({ length: 30 }, (_, at) => engine.score(pixels(at), { signal }));
  const stream = collect(
    engine.scoreMany(
      Array.from({ length: 30 }, (_, at) => pixels(at)),
      { signal },
    ),
  );
  await sleep(10);
  await finish();
  await Promise.all([...calls, stream]);
  await sleep(1);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
