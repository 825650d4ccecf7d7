import { describe, expect, it } from 'vitest';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';
import { builtAddon } from '../models/weights/built-addon.js';
import { drawFigures, intervalsOf, type Labelled, meanDraws, slowBootstraps } from './slow-bootstraps.js';
import { slowAp, slowAuroc, slowF1 } from './slow-metrics.js';

const generator = SeededGenerator.of(5);

/** Scores with many ties. */
function somePictures(count: number): Labelled[] {
  return Array.from({ length: count }, () => {
    const isAnomalous = generator.float() < 0.4;
    return { score: Math.round(10 * (generator.float() + (isAnomalous ? 0.4 : 0))) / 10, isAnomalous };
  });
}

describe('bootstrap intervals', () => {
  const pictures = somePictures(60);
  const settings = { resamples: 400, seed: 111, level: 0.95 };

  it('are the same for the same seed, in any order of the draws of other classes', () => {
    const once = drawFigures(pictures, settings, 'a');
    drawFigures(pictures, settings, 'b');
    expect(drawFigures(pictures, settings, 'a')).toEqual(once);
    expect(drawFigures(pictures, { ...settings, seed: 112 }, 'a')).not.toEqual(once);
    expect(drawFigures(pictures, settings, 'b')).not.toEqual(once);
  });

  it('hold the figure, and 95 % of the draws', () => {
    const draws = drawFigures(pictures, settings, 'a');
    const found = intervalsOf(draws, settings.level);
    const whole = {
      auroc: slowAuroc(pictures),
      ap: slowAp(pictures.map(({ score, isAnomalous }) => ({ score, label: isAnomalous }))),
      f1Max: slowF1(pictures.map(({ score, isAnomalous }) => ({ score, label: isAnomalous }))).value,
    };
    for (const figure of ['auroc', 'ap', 'f1Max'] as const) {
      const { low, high, resamples } = found[figure]!;
      expect(low).toBeLessThan(whole[figure]);
      expect(high).toBeGreaterThan(whole[figure]);
      expect(resamples).toBe(400);
      const inside = draws[figure].filter((value) => value >= low && value <= high).length;
      expect(inside).toBe(380);
    }
  });

  it('have the width that theory gives the share of a coin: 2 x 1.96 standard errors', () => {
    // AUROC against one threshold: a lone normal score between equal anomalous ones, so that only their draw matters.
    const coins = Array.from({ length: 200 }, (_, at) => ({ score: at % 2, isAnomalous: true }));
    const normals = Array.from({ length: 200 }, () => ({ score: 0.5, isAnomalous: false }));
    const draws = drawFigures([...coins, ...normals], { ...settings, resamples: 4000 }, 'coin');
    const { low, high } = intervalsOf(draws, 0.95).auroc!;
    expect(high - low).toBeCloseTo(2 * 1.96 * Math.sqrt(0.25 / 200), 2);
  });

  it('leave draws of one label out and say so; with none left there is no interval', () => {
    const few = [
      { score: 0.1, isAnomalous: false },
      { score: 0.9, isAnomalous: true },
    ];
    const { auroc } = intervalsOf(drawFigures(few, settings, ''), 0.95);
    expect(auroc!.resamples).toBeGreaterThan(100);
    expect(auroc!.resamples).toBeLessThan(300);
    const none = drawFigures([{ score: 1, isAnomalous: true }], settings, '');
    expect(intervalsOf(none, 0.95).ap).toBeNull();
  });

  it('of a mean are narrower than those of its classes', () => {
    const classes = ['a', 'b', 'c', 'd'].map((name) => drawFigures(pictures, settings, name));
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    const mean = intervalsOf(meanDraws(classes, settings.resamples), 0.95);
    const single = intervalsOf(classes[0]!, 0.95);
    expect(width(mean.auroc!)).toBeLessThan(0.7 * width(single.auroc!));
  });
});

const addon = await builtAddon();

describe.skipIf(!addon?.imageIntervals)('the built engine gives the bits of the definitions', () => {
  const columns = (pictures: readonly Labelled[]) => ({
    scores: Float64Array.from(pictures, ({ score }) => score),
    labels: Uint8Array.from(pictures, ({ isAnomalous }) => (isAnomalous ? 1 : 0)),
  });
  const choices = (round: number) => ({
    resamples: generator.below(60),
    // Beyond 32 bits too: both halves of a seed count.
    seed: round % 2 === 0 ? generator.below(1000) : 2 ** 32 + generator.below(2 ** 20) * 2 ** 20,
    level: [0.95, 0.5, 0][round % 3]!,
  });
  /** Scores of every kind: ties, neighbouring numbers, zeros. */
  const someScore = () =>
    [
      () => generator.below(6) / 8,
      () => generator.float(),
      () => 0.5 + generator.below(3) * 2 ** -53,
      () => 0,
    ][generator.below(4)]!();
  const some = (count: number): Labelled[] =>
    Array.from({ length: count }, () => ({ score: someScore(), isAnomalous: generator.below(3) === 0 }));

  it('for the intervals of sets', async () => {
    let compared = 0;
    for (let round = 0; round < 60; round++) {
      const classes = Array.from({ length: 1 + generator.below(4) }, (_, at) => ({
        ...columns(some(1 + generator.below(25))),
        stream: `sät/${round}/${at}`,
      }));
      const options = choices(round);
      const found = await addon!.imageIntervals(classes, options);
      expect(found).toEqual(await slowBootstraps.imageIntervals(classes, options));
      compared += found.classes.filter(({ auroc }) => auroc !== null).length;
    }
    expect(compared).toBeGreaterThan(50);
  });

  it('for thresholds of scores', async () => {
    for (let round = 0; round < 80; round++) {
      const pictures = columns(some(1 + generator.below(30)));
      const options = { ...choices(round), stream: `é${round}` };
      expect(await addon!.bestThreshold(pictures, options)).toEqual(
        await slowBootstraps.bestThreshold(pictures, options),
      );
    }
  });

  it('for thresholds of maps', async () => {
    for (let round = 0; round < 40; round++) {
      const levels = [1, 7, 4096][generator.below(3)]!;
      const both = [addon!.createMapLevels(levels), slowBootstraps.createMapLevels(levels)] as const;
      const options = { ...choices(round), stream: `map ${round}` };
      const adding: Promise<void>[] = [];
      for (let picture = generator.below(8); picture >= 0; picture--) {
        const map = Float32Array.from(
          { length: 1 + generator.below(300) },
          () => [1, 0, -1, 2, Number.NaN][generator.below(40)] ?? generator.float(),
        );
        const isAnomalous = generator.below(2) === 1;
        const mask = isAnomalous ? Uint8Array.from(map, () => generator.below(2) * 9) : null;
        for (const one of both) adding.push(one.add(map, mask, isAnomalous));
      }
      await Promise.all(adding);
      expect(await both[0].bestThreshold(options)).toEqual(await both[1].bestThreshold(options));
    }
  });

  it('and refuses what does not fit', async () => {
    const pictures = { scores: Float64Array.of(0.1, 0.2), labels: Uint8Array.of(1) };
    const options = { resamples: 1, seed: 1, level: 0.95, stream: '' };
    expect(() => addon!.bestThreshold(pictures, options)).toThrow('got 2 scores and 1 labels');
    expect(() => addon!.bestThreshold(columns(some(3)), { ...options, seed: 0.5 })).toThrow(/seed 0.5/);
    expect(() => addon!.createMapLevels(0)).toThrow(/0 levels/);
    const levels = addon!.createMapLevels(8);
    expect(() => levels.add(new Float32Array(3), new Uint8Array(2), true)).toThrow(
      /a mask of 2 pixels for a map of 3/,
    );
  });
});
