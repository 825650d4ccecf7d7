/** `scorePreprocessed`: its place in the queue and in the memory limit. */

import { describe, expect, it } from 'vitest';
import { codeOf } from '../awaiting.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();

describe('scorePreprocessed', () => {
  it('checks the shape and returns one score per picture', async () => {
    const { engine } = await toy.open();
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
    const { engine } = await toy.open({ maxQueue: 2 }, { passMs: 30 });
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
    const { engine } = await toy.open({ maxDecodedBytes: 100 });
    const input = tensor(200);
    const scoring = engine.scorePreprocessed(input, { batch: 200, size: 28 });
    // It is not there yet that a copy could hold up the loop: the caller's array is gone before its end.
    await new Promise(setImmediate);
    structuredClone(input.buffer, { transfer: [input.buffer] });
    expect(await codeOf(scoring)).toBe('E_IMAGE_SHAPE');
    expect(engine.decodedBytes).toBe(0);
  });

  it('is given up by its signal and with the engine', async () => {
    const { engine, addon } = await toy.open({}, { passMs: 30 });
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
