/** What a scoring run is given, and what comes of it. */
import type { Engine } from '../engine/engine.js';
import type { EqualScores } from '../engine/score-watch.js';
import type { PictureInput } from '../images/picture-input.js';
import type { NormalBank } from '../normals/normal-bank.js';
import type {
  DataChoices,
  PictureChoices,
  ScoreCommandOptions,
  ScoreOptions,
  WorkCommandOptions,
} from '../options/types.js';
import type { ScanReport } from '../scan/scan-account.js';
import type { OutOptions } from '../sinks/out-place.js';
import type { ResultWriter } from '../sinks/result-writer.js';
import type { ListedInputs } from './shards.js';

/** The score command's own options: those with a default always set, the others perhaps. */
export type ScoreRunOptions = Partial<
  Pick<ScoreCommandOptions, 'limit' | 'shard' | 'out' | 'maps' | 'includeMasks' | 'heatmapRange' | 'ignore'>
> &
  Partial<Pick<WorkCommandOptions, 'manifest'>> &
  Pick<ScoreOptions, 'roi'> &
  Pick<DataChoices, 'followLinks'> &
  Pick<PictureChoices, 'normals' | 'falseAlarmRate' | 'threshold' | 'mapThreshold'> &
  Pick<
    ScoreCommandOptions,
    'recursive' | 'resume' | 'failOnAnomaly' | 'mapSize' | 'heatmaps' | 'heatmapFormat' | 'timings' | 'force'
  > & {
    regions: boolean;
    /** a table beside the results in `out` */
    table?: OutOptions['table'];
    /** of the regions of every picture, in `out` */
    outlines?: 'coco' | 'labelme' | undefined;
    batch: 'auto' | number;
    maxPixels: number;
  };

export interface ScoreRun {
  engine: Engine;
  inputs: readonly string[];
  options: ScoreRunOptions;
  /** what a picture is compared with, where that is its own */
  normalsOf?: (input: PictureInput) => Promise<NormalBank>;
  writer: ResultWriter;
  stdin: AsyncIterable<Uint8Array | string>;
  /** when it fires, what is in flight is finished and saved, and nothing new begins */
  stop: AbortSignal;
  /** called after each picture */
  onResult: () => void;
  /** of a picture that makes several forward passes: so many are done */
  onPart?: (done: number, total: number) => void;
  /** called with the number of pictures that this run will score, once that is known and as it changes */
  onTotal?: (count: number) => void;
}

export interface ScoreRunOutcome {
  scored: number;
  failed: number;
  skipped: number;
  /** of the results that the run went on with */
  earlier: { scored: number; failed: number; anomalous: number };
  isStopped: boolean;
  hasMapThreshold: boolean;
  /** null: there was no threshold to tell by */
  anomalous: number | null;
  /** what was found and left out; null: every input was named, and nothing was looked for */
  scan: ScanReport | null;
  /** with a bank that leaves out the background: patches of the scored pictures that were, and pictures that show none */
  background: { patches: number; whole: number } | undefined;
  /** what was odd about pictures that were scored, a sentence for each kind */
  warnings: string[];
  /** of the model with all that decides a score */
  label: string;
  thresholds: { threshold: number | null; mapThreshold: number | null };
  /** of the whole listing; null: it was not followed to its end (stopped, or --limit) */
  listed: ListedInputs | null;
  /** path of the complete results, with --out */
  results: string | null;
  /** with --out: the complete results go where the user wants them, and after them `more`; returns the tables beside them */
  publish: (more: readonly string[]) => Promise<string[]>;
  /** labels of results whose pictures had choices of their own, by those (ownText) */
  own: Record<string, string>;
  /** where all have one score */
  equal: EqualScores | undefined;
}
