/** What a k-shot test finds: k-shot.json. */
import type { NormalBank } from '../normals/normal-bank.js';
import type { UnscoredPicture } from '../runs/test-run.js';

/** Patches that a draw left out. */
export interface LeftOutBackground {
  /** of the good pictures and their copies, and how many these have */
  ofGood: number;
  patchesOfGood: number;
  /** good pictures that show no plain background */
  goodWhole: number;
  ofTested: number;
  testedWhole: number;
}

/** One draw of one class. */
export interface KShotDraw {
  shots: number;
  seed: number;
  /** of its results, as every scored picture has one: each draw has a bank, and so a label, of its own */
  label: string;
  normals: string[];
  /** of banks that leave out the background (bankForeground) */
  background?: LeftOutBackground;
  /** by column (image_auroc, ...); null where a figure is not defined */
  figures: Record<string, number | null>;
}

export interface KShotClass {
  dataSet: string;
  className: string;
  /** where its good pictures come from, and how many there are */
  from: 'train' | 'test';
  good: number;
  /** scored in every draw */
  scored: { normal: number; anomalous: number };
  draws: KShotDraw[];
}

/** Of a figure over the draws: of each the mean over the classes. */
export interface KShotFigure {
  mean: number;
  deviation: number;
  /** 95 %, by Student's t over the draws; null of one draw */
  interval: { low: number; high: number } | null;
}

export interface KShotRun {
  format: 1;
  kind: 'k-shot';
  /** its name; what was scored is told apart by the draws' labels */
  model: string;
  bank: Omit<NormalBank['facts'], 'pictures' | 'towers'>;
  shots: number[];
  seeds: number[];
  columns: string[];
  classes: KShotClass[];
  /** null where no class has the figure */
  means: { shots: number; figures: Record<string, KShotFigure | null> }[];
  failed: UnscoredPicture[];
}
