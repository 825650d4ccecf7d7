/** How far another precision moves figures: intervals of paired draws, and the order of pictures. */
import { describe, expect, it } from 'vitest';
import { changeIntervals, kendallTau } from '../../../src/evaluate/precision-effect.js';

const settings = { draws: 400, seed: 7, level: 0.95 };
/** The drawn values one after the other. */
const taken = (values: readonly number[], times: Uint32Array) =>
  values.flatMap((value, at) => Array.from({ length: times[at]! }, () => value));
const mean = async (values: readonly number[], draws: readonly Uint32Array[]) =>
  draws.map((times) => {
    const drawn = taken(values, times);
    return [drawn.reduce((sum, value) => sum + value, 0) / drawn.length, drawn.includes(1) ? 1 : null];
  });
const pairsOf = (before: number[], after: number[], className = 'a') =>
  before.map((value, at) => ({ className, before: value, after: after[at]! }));

describe('intervals of changes', () => {
  it('judge the same draws in both, so that a shift of every picture has no width', async () => {
    const before = [3, 9, 27, 81, 5, 6];
    const [shift] = await changeIntervals(
      pairsOf(
        before,
        before.map((value) => value + 0.25),
      ),
      mean,
      settings,
    );
    expect(shift?.low).toBeCloseTo(0.25, 12);
    expect(shift?.high).toBeCloseTo(0.25, 12);
    expect(shift?.draws).toBe(400);
  });

  it('are as wide as draws differ: one changed picture of n is drawn 0 to a few times', async () => {
    const before = Array.from({ length: 20 }, (_, at) => at);
    const after = before.map((value) => (value === 7 ? value + 20 : value));
    const [moved] = await changeIntervals(pairsOf(before, after), mean, settings);
    // the number of times that it is drawn is binomial (20, 1/20): its 2.5 and 97.5 % points are 0 and 3
    expect(moved?.low).toBe(0);
    expect(moved?.high).toBe(3);
  });

  it('draw within a class, as many as it has', async () => {
    const seen: number[] = [];
    const count = async (values: readonly number[], draws: readonly Uint32Array[]) =>
      draws.map((times) => {
        const drawn = taken(values, times);
        seen.push(drawn.filter((value) => value < 100).length, drawn.length);
        return [0];
      });
    const pairs = [...pairsOf([1, 2, 3], [1, 2, 3], 'a'), ...pairsOf([100, 200], [100, 200], 'b')];
    await changeIntervals(pairs, count, { ...settings, draws: 5 });
    expect(seen).toEqual(Array.from({ length: 10 }, () => [3, 5]).flat());
  });

  it('count the draws that have a figure, and are none where it is undefined', async () => {
    const pairs = pairsOf([1, 0, 0, 0, 0], [1, 0, 0, 0, 0]);
    const [, sometimes] = await changeIntervals(pairs, mean, settings);
    expect(sometimes!.draws).toBeGreaterThan(200);
    expect(sometimes!.draws).toBeLessThan(350);
    const [, never] = await changeIntervals(pairsOf([0, 0], [0, 0]), mean, settings);
    expect(never).toBeNull();
  });

  it('are the same for the same seed alone', async () => {
    const pairs = pairsOf([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 9, 6, 7]);
    const draw = (seed: number) => changeIntervals(pairs, mean, { draws: 9, seed, level: 0.95 });
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
  });
});

describe("Kendall's tau", () => {
  it('counts pairs in the same order against those turned round', () => {
    expect(kendallTau([1, 2, 3, 4], [1, 2, 3, 4])).toBe(1);
    expect(kendallTau([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
    expect(kendallTau([1, 2, 3, 4], [1, 3, 2, 4])).toBeCloseTo(4 / 6, 12);
  });

  it('takes ties into account as tau-b does', () => {
    // 4 concordant, 0 discordant, 1 tie in each of two places: 4 / sqrt(5 * 5)
    expect(kendallTau([1, 1, 2, 3], [1, 2, 3, 3])).toBeCloseTo(4 / 5, 12);
    expect(kendallTau([1, 1], [1, 2])).toBeNaN();
  });
});
