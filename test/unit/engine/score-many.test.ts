/** `scoreMany`: order, faults of single pictures, bounded memory. */

import { describe, expect, it } from 'vitest';
import type { ScoreRequest } from '../../../src/addon/engine.js';
import { isFailed, type ScoreOutcome } from '../../../src/engine/result.js';
import { codeOf, collect, makeGate } from '../awaiting.js';
import { useToyModel } from './toy-engine.js';
import { pixels, writePicture } from './toy-model.js';

const toy = useToyModel();

describe('scoreMany', () => {
  it('ends at once with an engine that is disposed while its source gives nothing', async () => {
    for (const couples of [false, true]) {
      const { engine } = await toy.open({ compat: { batchMean: couples } });
      async function* source() {
        yield pixels(1);
        if (couples) yield pixels(2);
        await new Promise(() => {});
      }
      const results = engine.scoreMany(source(), { batch: couples ? 3 : 1 });
      if (!couples) await results.next();
      const next = codeOf(results.next());
      await new Promise((resolve) => setTimeout(resolve, 20));
      await engine.dispose();
      expect(await next).toBe('E_DISPOSED');
    }
  });

  const values = Array.from({ length: 23 }, (_, index) => 10 * index);

  it.each([1, 3, 8])('gives the same results in order at batch %i', async (batch) => {
    const { engine } = await toy.open();
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
    const { engine } = await toy.open();
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
    const { engine, addon } = await toy.open({ device });
    await collect(engine.scoreMany(Array.from({ length: 40 }, (_, index) => pixels(index))));
    expect(Math.max(...addon.log.passes.map(({ requests }) => requests.length))).toBe(most);
  });

  it('a failing input gives a result with its error and the rest goes on', async () => {
    const { engine } = await toy.open();
    const good = await writePicture(toy.at('good.png'), 100);
    const inputs = [
      good,
      toy.at('missing.png'),
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
    expect(results[1]).toMatchObject({ input: toy.at('missing.png'), index: 1 });
  });

  it('gives results as they finish when not ordered', async () => {
    const first = makeGate();
    // Either picture may reach the engine first.
    const gate = ([request]: ScoreRequest[]) => (request!.picture.data[0] === 1 ? first.wait() : undefined);
    const { engine } = await toy.open({ maxWaitMs: 0 }, { gate });
    const source = [
      { input: pixels(1), name: 'first' },
      { input: pixels(2), name: 'second' },
    ];
    const results = engine.scoreMany(source, { ordered: false, batch: 1 });
    expect((await results.next()).value).toMatchObject({ input: 'second' });
    first.open();
    expect((await results.next()).value).toMatchObject({ input: 'first' });
  });

  it('reads the source only as far as the results are taken', async () => {
    const { engine } = await toy.open();
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
    const { engine, addon } = await toy.open({ maxDecodedBytes: 3 * bytes }, { passMs: 3 });
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
    const { engine } = await toy.open();
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
