import { describe, expect, it } from 'vitest';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';
import { drawFigures, intervalsOf, type Labelled, meanDraws } from '../../../src/evaluate/bootstrap.js';
import { slowAp, slowAuroc, slowF1 } from '../metrics/slow-metrics.js';

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
