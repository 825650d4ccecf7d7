/**
 * What a finished evaluation is: everything that tables and reports are made from. It holds no time and no date, so that
 * the same run gives the same bytes however often it was interrupted; those stand in run.json.
 */
import { isAbsolute, join } from 'node:path';
import type { ImageIntervals } from '../addon/metric-results.js';
import type { Fit, MethodOptions } from '../addon/native.js';
import type { Split } from '../data/data-set.js';
import type { NamedValues } from '../data/mask-values.js';
import type { ErrorCode } from '../errors.js';
import type { PictureNote } from '../images/samples.js';
import type { ClassMetrics, Evaluation } from '../metrics/index.js';
import type { PresetName } from '../options/preset-names.js';
import type { Size } from '../options/types.js';
import type { ScanReport } from '../scan/scan-account.js';
import type { PublishedComparison } from './paper/published.js';

export type { ImageIntervals, Interval } from '../addon/metric-results.js';

export interface TestRun {
  format: 1;
  settings: TestSettings;
  /** in the order given */
  dataSets: TestedDataSet[];
  /** what a reader has to know before the figures: prompts learned on a tested set, pictures missing. One sentence each */
  warnings: string[];
  versions: Record<string, string>;
  /** the machine and the kernels that made the scores */
  machine: Record<string, string | number>;
}

export interface TestSettings {
  /** `name@hash` as results carry it */
  model: string;
  modelName: string;
  size: Size;
  method: MethodOptions;
  /** null: nothing of the method is learned */
  prompts: TestedPrompts | null;
  /** the normal pictures that were compared with; only where there are some */
  normals?: TestedNormals;
  /** what the texts name instead of the data set's classes; only where the caller said so */
  className?: string;
  preset: PresetName | null;
  fit: Fit;
  tileOverlap: number;
  /** EXIF orientation is applied */
  exif: boolean;
  /** how pictures of more than 8 bits were read, where it is not the default */
  bitDepth?: number | 'auto';
  valueRange?: { low: number; high: number } | null;
  grey16?: boolean;
  /** masks were read as the reference does; absent: they were not */
  maskGrey?: boolean;
  split: Split;
  /** of the false-positive rate for AUPRO */
  limits: number[];
  /** of picture scores; null: none is known, so there is no confusion */
  threshold: number | null;
  /** of map values */
  mapThreshold: number | null;
  /** null: no intervals */
  bootstrap: { resamples: number; seed: number; level: number } | null;
}

export interface TestedPrompts {
  /** name of a set of the model, or the path given */
  name: string;
  sha256: string;
  /** null: the file does not say */
  learnedOn: string[] | null;
}

export interface TestedNormals {
  /** of their contents and of how they were learned */
  sha256: string;
  pictures: { name: string; sha256: string }[];
}

export interface TestedDataSet {
  /** unique in the run: the folder's name, with a number where two have the same */
  name: string;
  /** the paper's name of it, where it is a copy of such a set */
  published: string | null;
  /** absolute */
  root: string;
  layout: string;
  /** which values of its masks are defects; absent: all above 0 */
  maskValues?: NamedValues;
  /** what was found below the root, and what was left out; older runs do not tell */
  scan?: ScanReport;
  /** why its figures are no zero-shot results; null: nothing speaks against it */
  learnedOn: LearnedOn | null;
  classes: TestedClass[];
  /** over the classes, in both conventions for figures that a class does not have */
  mean: Evaluation['mean'];
  /** of the means over the classes that have the figure */
  intervals: ImageIntervals | null;
  /** with --compare-paper, where the set is recognised */
  paper: PublishedComparison | null;
  notes: string[];
}

/** The prompts were learned on this set, or on pictures of it. */
export interface LearnedOn {
  why: 'name' | 'content';
  /** the names that are equal, or how many pictures are the same */
  detail: string;
}

export interface TestedClass {
  className: string;
  /** with curves and histograms */
  metrics: ClassMetrics;
  /** pictures that could not be scored: they are in none of the figures */
  failed: number;
  intervals: ImageIntervals | null;
  /** in the data set's order */
  pictures: TestedPicture[];
  /** indexes into `pictures` */
  examples: Examples;
}

/**
 * Pictures worth looking at; their maps are kept. Normal: best has the lowest score. Anomalous: best has the highest.
 * Equal scores: the earlier picture first. At most `k_examples` each; in small classes best and worst may overlap.
 */
export interface Examples {
  bestNormal: number[];
  worstNormal: number[];
  bestAnomalous: number[];
  worstAnomalous: number[];
}

export const k_examples = 4;

export type TestedPicture = ScoredPicture | UnscoredPicture;

interface AnyPicture {
  /** position in the data set, from 0 */
  index: number;
  /** below the set's root with `/` between */
  path: string;
  maskPath: string | null;
  /** of a picture with several masks, which are united: all of them */
  maskPaths?: string[];
  className: string;
  kind: string;
  isAnomalous: boolean;
}

export interface ScoredPicture extends AnyPicture {
  score: number;
  /** largest value of the map */
  mapMax: number;
  /** in the picture's own pixels, after its EXIF orientation */
  width: number;
  height: number;
  /** NumPy file below the run's folder, float32 [height, width] as the figures were made from; null: not kept */
  map: string | null;
  /** compared with a bank that leaves out the background: how many patches were; 0: it was compared whole */
  backgroundPatches?: number;
  /** what is odd about the picture, where something is */
  warnings?: PictureNote[];
}

export interface UnscoredPicture extends AnyPicture {
  error: { code: ErrorCode; message: string; hint?: string };
}

export function isScored(picture: TestedPicture): picture is ScoredPicture {
  return !('error' in picture);
}

/** Pictures that are in no figure. */
export function unscored({ dataSets }: TestRun): UnscoredPicture[] {
  return dataSets.flatMap(({ classes }) =>
    classes.flatMap(({ pictures }) => pictures.flatMap((picture) => (isScored(picture) ? [] : [picture]))),
  );
}

/** Absolute path of a picture or mask of the set. */
export function pathIn(set: Pick<TestedDataSet, 'root'>, path: string): string {
  return isAbsolute(path) ? path : join(set.root, ...path.split('/'));
}
