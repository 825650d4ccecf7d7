/**
 * When another precision than float32 is harmless for a model, so that `--precision auto` may take it: over every data set that it was
 * measured on, the paired bootstrap interval of each figure's change is narrow, and pictures keep their order. The change of a figure
 * alone says little: one pair of near ties that turns round moves a figure of fifty pictures by more than a rule could allow.
 */

/** Points are of 100. */
export const precisionRule = {
  level: 0.95,
  pixelPoints: 0.3,
  imagePoints: 1,
  kendallTau: 0.99,
  draws: 200,
} as const;

/** What `scripts/compare-precision.mjs` measured; model.json holds it. */
export interface PrecisionEffect {
  draws: number;
  /** the lowest and highest end of the intervals of all image figures of all sets, in points */
  imagePoints: readonly [low: number, high: number];
  /** the same of the pixel figures */
  pixelPoints: readonly [low: number, high: number];
  /** of the sets the lowest */
  kendallTau: number;
}

/** What is against it, each a clause; empty: harmless. */
export function objectionsTo({ draws, imagePoints, pixelPoints, kendallTau }: PrecisionEffect): string[] {
  const { level, ...rule } = precisionRule;
  const outside = (name: string, [low, high]: readonly [number, number], most: number) =>
    low >= -most && high <= most
      ? []
      : [
          `${100 * level} % intervals of the change of ${name} figures reach from ${low} to ${high} points, more than ${most}`,
        ];
  return [
    ...(draws >= rule.draws ? [] : [`${draws} draws are fewer than ${rule.draws}`]),
    ...outside('image', imagePoints, rule.imagePoints),
    ...outside('pixel', pixelPoints, rule.pixelPoints),
    ...(kendallTau >= rule.kendallTau
      ? []
      : [`Kendall's tau of the scores is ${kendallTau}, less than ${rule.kendallTau}`]),
  ];
}
