/** What the own scores of a bank's pictures, each against the bank without it, say of the bank. */
import { neededPictures } from '../models/conformal.js';

export interface OwnScore {
  name: string;
  score: number;
  mapMax: number;
}

export interface BankReport {
  /** highest score first */
  pictures: OwnScore[];
  /** far from all others: perhaps a defect, perhaps a kind of good part of which the bank has no other */
  outliers: string[];
  /** nearly the same as another picture of the bank: it adds nothing, and thresholds become too low */
  duplicates: string[];
  /** the lowest false-alarm rate that thresholds from this bank can hold; null: one picture has no other to be compared with */
  leastRate: number | null;
  /** pictures that a rate of 0.05 and one of 0.01 need */
  needed: { '0.05': number; '0.01': number };
}

/** Median absolute deviations above the median from which on a score is an outlier's. */
const k_outlier = 5;
/** Of a normal distribution, so that deviations are standard ones. */
const k_normalDeviation = 1.4826;
/** Two pictures of one scene without any change between them stay far below it. */
const k_duplicate = 0.002;

/** @param speaking how many of them thresholds are chosen from: those without a copy in the bank */
export function checkBank(own: readonly OwnScore[], speaking: number = own.length): BankReport {
  const scores = own.map(({ score }) => score);
  const middle = median(scores);
  const spread = k_normalDeviation * median(scores.map((score) => Math.abs(score - middle)));
  const isOutlier = ({ score }: OwnScore) =>
    own.length > 2 && score > middle + k_outlier * spread && spread > 0;
  return {
    pictures: [...own].sort((a, b) => b.score - a.score),
    outliers: own.filter(isOutlier).map(({ name }) => name),
    duplicates: own.filter(({ score }) => score < k_duplicate).map(({ name }) => name),
    leastRate: own.length < 2 ? null : 1 / (speaking + 1),
    needed: { '0.05': neededPictures(0.05), '0.01': neededPictures(0.01) },
  };
}

export function checkLines({ pictures, outliers, duplicates, leastRate, needed }: BankReport): string[] {
  const marks = new Map([
    ...duplicates.map((name) => [name, 'nearly the same as another'] as const),
    ...outliers.map((name) => [name, 'far from all others: is it good?'] as const),
  ]);
  const holds =
    leastRate === null
      ? 'one picture holds no false-alarm rate: it has no other to be compared with'
      : `${pictures.length} pictures hold a false-alarm rate of ${leastRate.toFixed(3)} or more`;
  return [
    ...pictures.map(({ name, score }) => {
      const mark = marks.get(name);
      return `${score.toFixed(4)}  ${name}${mark ? `  (${mark})` : ''}`;
    }),
    `${holds}; 0.05 needs ${needed['0.05']}, 0.01 needs ${needed['0.01']}`,
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
