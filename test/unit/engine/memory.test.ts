import { describe, expect, it, vi } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { ScoreOutcome } from '../../../src/engine/result.js';
import type { EngineOptions, EngineWarning } from '../../../src/options/types.js';
import { makeFakeAddon } from './fake-addon.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();

/** An engine whose memory holds so many pictures of one pass. */
async function openSmall(room: number, options: EngineOptions = {}) {
  const warnings: EngineWarning[] = [];
  const addon = makeFakeAddon({
    checkPass: (requests) => {
      if (requests.length > room)
        throw Object.assign(new Error("can't allocate memory"), { code: 'E_MEMORY' });
    },
  });
  const engine = await openEngine(addon, toy.model(), { onWarning: (w) => warnings.push(w), ...options });
  return { engine, warnings, sizes: () => addon.log.passes.map(({ requests }) => requests.length) };
}
const values = Array.from({ length: 20 }, (_, index) => 10 * index);
async function scoresOf(results: AsyncIterable<ScoreOutcome>): Promise<(number | string)[]> {
  const list: (number | string)[] = [];
  for await (const result of results) list.push('error' in result ? result.error.code : result.score);
  return list;
}
const pictures = () => values.map((value) => pixels(value));

describe('when memory runs out', () => {
  it.each([1, 2, 3])(
    'passes become as small as %i pictures need, with equal scores, and it is said once',
    async (room) => {
      const plenty = await openSmall(100);
      const expected = await scoresOf(plenty.engine.scoreMany(pictures(), { batch: 8 }));
      const { engine, warnings, sizes } = await openSmall(room);
      expect(await scoresOf(engine.scoreMany(pictures(), { batch: 8 }))).toEqual(expected);
      const used = room >= 2 ? 2 : 1;
      expect(warnings).toEqual([
        {
          code: 'W_SMALLER_BATCH',
          message: expect.stringContaining(`8 pictures in one forward pass: going on with ${used};`),
        },
      ]);
      expect(engine.passSize(8)).toBe(used);
      // What was on its way at the old size is halved too; everything after it is small from the start.
      expect(
        sizes()
          .slice(-5)
          .every((size) => size <= used),
      ).toBe(true);
    },
  );

  it('calls at the same time are parted as well', async () => {
    const { engine, warnings } = await openSmall(2, { maxWaitMs: 20 });
    const plenty = await openSmall(100);
    const [got, expected] = await Promise.all(
      [engine, plenty.engine].map((one) =>
        Promise.all(values.slice(0, 8).map(async (value) => (await one.score(pixels(value))).score)),
      ),
    );
    expect(got).toEqual(expected);
    expect(warnings).toHaveLength(1);
  });

  it('a picture that is too much by itself fails with E_MEMORY', async () => {
    const { engine, warnings } = await openSmall(0);
    expect(await scoresOf(engine.scoreMany(pictures().slice(0, 3), { batch: 2 }))).toEqual(
      Array.from({ length: 3 }, () => 'E_MEMORY'),
    );
    await expect(engine.score(pixels(1))).rejects.toMatchObject({ code: 'E_MEMORY' });
    expect(warnings).toEqual([]);
  });

  it('nothing is parted under compat.batchMean: E_MEMORY says why', async () => {
    const { engine, warnings, sizes } = await openSmall(3, { compat: { batchMean: true } });
    const results: ScoreOutcome[] = [];
    for await (const result of engine.scoreMany(pictures().slice(0, 4), { batch: 4 })) results.push(result);
    expect(results).toHaveLength(4);
    for (const result of results)
      expect(result).toMatchObject({
        error: { code: 'E_MEMORY', hint: expect.stringMatching(/batchMean.*smaller batch/) },
      });
    expect([sizes(), warnings]).toEqual([[4], []]);
  });

  it('without a listener the process warns', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { engine } = await openSmall(1, { onWarning: undefined as never });
    await scoresOf(engine.scoreMany(pictures(), { batch: 4 }));
    expect(emit.mock.calls).toEqual([
      [expect.stringContaining('going on with 1;'), { type: 'CraneWarning', code: 'W_SMALLER_BATCH' }],
    ]);
    emit.mockRestore();
  });
});
