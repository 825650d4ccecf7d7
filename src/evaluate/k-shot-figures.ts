/** Figures of a k-shot test over its draws. */
import { betaQuantile } from '../models/beta-quantile.js';
import { spreadOf } from '../runs/spread.js';
import type { KShotClass, KShotFigure, KShotRun } from './k-shot-run.js';

const k_level = 0.95;

/** Of each figure and number of pictures: over the draws, of each the mean over the classes. */
export function meansOf(
  classes: readonly KShotClass[],
  shots: readonly number[],
  seeds: readonly number[],
  columns: readonly string[],
): KShotRun['means'] {
  return shots.map((k) => {
    const figures = columns.map((column) => {
      const ofDraws = seeds.flatMap((seed) => {
        const values = classes.flatMap(({ draws }) => {
          const value = draws.find((draw) => draw.shots === k && draw.seed === seed)!.figures[column];
          return value === null || value === undefined ? [] : [value];
        });
        return values.length === 0 ? [] : [values.reduce((sum, value) => sum + value, 0) / values.length];
      });
      return [column, ofDraws.length === 0 ? null : figureOf(ofDraws)] as const;
    });
    return { shots: k, figures: Object.fromEntries(figures) };
  });
}

function figureOf(values: readonly number[]): KShotFigure {
  const { mean, deviation } = spreadOf(values);
  if (values.length === 1) return { mean, deviation, interval: null };
  const half = (studentQuantile(values.length - 1) * deviation) / Math.sqrt(values.length);
  // Of two draws it is thirteen times as wide as their spread, and no figure is beyond 0 and 1.
  const interval = { low: Math.max(0, mean - half), high: Math.min(1, mean + half) };
  return { mean, deviation, interval };
}

/** The t that a Student variable of so many degrees of freedom exceeds in size with probability 1 - level. */
export function studentQuantile(degrees: number, level = k_level): number {
  // T^2 = degrees (1 - B) / B with B of Beta(degrees / 2, 1 / 2)
  const b = betaQuantile(1 - level, degrees / 2, 1 / 2);
  return Math.sqrt((degrees * (1 - b)) / b);
}
