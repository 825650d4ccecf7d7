/** What callers may set. Every field has its entry in THE table (table.ts): a missing one does not compile. */
import type { Fit, Guidance } from '../addon/native.js';
import type { ChoicesOf, CompatOf } from '../methods/descriptor.js';
import type { AllSettings } from '../methods/registry.js';
import type { NormalBank } from '../normals/normal-bank.js';
import type { PaperTableName, PresetName } from './preset-names.js';

/** Numerics in which paper, reference and this engine part (method.md 10), and how pictures are opened. */
export interface CompatOptions extends CompatOf<AllSettings> {
  exif: boolean;
  grey16: boolean;
  maskGrey: boolean;
}

/** How features become scores; what is not given comes from the model. */
export interface MethodChoices extends ChoicesOf<AllSettings> {
  /** a method of src/methods; settings that it lacks are refused */
  method?: string;
  compat?: Partial<CompatOptions>;
}

/** What a bank remembers of normal pictures; what is not given comes from the model. */
export interface LearnNormalsChoices {
  bankTower?: 'vision' | 'source';
  /** of the vision tower, counted from 1 */
  bankBlocks?: number[];
  turns?: number;
  mirror?: boolean;
  /** the rows of all patches, or the subspace that they lie in */
  bankKind?: 'nearest' | 'subspace';
  /** of a subspace: the share of the patches' variance that its axes hold */
  bankVariance?: number;
  /** rows that stand for all, of a bank of all patches */
  bankSize?: number;
  /** patches of a plain background are left out, of scored pictures too */
  bankForeground?: boolean;
  /** what a bank's rows are rounded to */
  bankPrecision?: 'float32' | 'float16' | 'bfloat16';
}

/** How one picture is scored; may be given to loadEngine as defaults and to each call. */
export interface PictureChoices extends MethodChoices {
  prompts?: string;
  /** what the pictures show, for methods whose texts name it */
  className?: string;
  /** a bank of normal pictures that it is compared with, instead of prompts: its file, or what learnNormals gave */
  normals?: string | NormalBank;
  /** what speaks of a picture: prompts, normal pictures, or both; default: the normal pictures where some are given */
  evidence?: 'prompts' | 'normals' | 'both';
  /** with `normals`: thresholds that a normal picture reaches with at most this probability */
  falseAlarmRate?: number;
  fit?: Fit;
  tileOverlap?: number;
  /** bits that pictures of more than 8 bits really use; 'auto': what their file says */
  bitDepth?: 'auto' | number;
  /** which values of a picture of more than 8 bits are black and white; wins over bitDepth */
  valueRange?: { low: number; high: number } | null;
  /** null: take none, not even the model's */
  threshold?: number | null;
  mapThreshold?: number | null;
}

export interface Size {
  width: number;
  height: number;
}

/** Something that the user should know and that ends nothing. */
export interface EngineWarning {
  /**
   * fewer pictures at once for want of memory · a prompt file's own tokens are not those of the model · fit tile of a strip · a bank whose
   * pictures were turned as EXIF says, beside pictures that are not, or the other way round · a false-alarm rate that good pictures hold
   * approximately, with a subspace, with chosen rows or beside prompts · normal pictures of one content in a bank, or in those that are joined
   */
  code:
    | 'W_SMALLER_BATCH'
    | 'W_PROMPT_TOKENS'
    | 'W_MANY_TILES'
    | 'W_NORMALS_TURNED'
    | 'W_RATE_APPROXIMATE'
    | 'W_NORMALS_COPIES';
  message: string;
}

/** What loadEngine does from now on: find the model, load the addon, read the weights, encode the prompts; `ready` is the end. */
export interface LoadProgress {
  stage: 'model' | 'addon' | 'weights' | 'prompts' | 'ready';
  /** since the call */
  ms: number;
  /** of `weights`: of the files that are read. Packed weights of an earlier start are mapped in their place */
  bytes?: number;
}

export interface EngineOptions extends Omit<PictureChoices, 'falseAlarmRate'> {
  model?: string;
  device?: string;
  threads?: number;
  /** what threads share on a CPU: the parts of one picture, or pictures, one each: for many pictures, where other programs run too */
  parallel?: 'parts' | 'pictures';
  precision?: 'auto' | 'float32' | 'bfloat16' | 'float16' | 'int8';
  /** pixels of the model's input: a square's side, or both sides */
  size?: number | Size;
  /** keep packed weights and encoded prompts in the cache folder for the next start */
  startCache?: boolean;
  maxPixels?: number;
  maxTiles?: number;
  maxDecodedBytes?: number;
  maxBatch?: number;
  maxWaitMs?: number;
  maxQueue?: number;
  signal?: AbortSignal;
  /** told what ends nothing but should be known; default: process.emitWarning */
  onWarning?: (warning: EngineWarning) => void;
  /** told as each stage of loading begins; what it throws ends the loading */
  onProgress?: (progress: LoadProgress) => void;
}

/** How far one picture is that fit `tile` shows the model in several forward passes. */
export interface PictureProgress {
  /** as its result will name it */
  input: string;
  /** forward passes */
  done: number;
  total: number;
}

/** A rectangle in pixels of the upright picture. */
export interface Roi {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface ScoreOptions extends PictureChoices {
  /** nothing outside of it is looked at: maps cover it alone (docs/pictures.md) */
  roi?: Roi;
  /** return the anomaly map */
  map?: boolean;
  /** pixels of the returned map; default: as the model made it */
  mapSize?: ScoreCommandOptions['mapSize'];
  /** return the anomalous regions; needs a mapThreshold */
  regions?: boolean;
  /** return the picture with its map laid over it, as the bytes of a file */
  heatmap?: boolean;
  heatmapFormat?: ScoreCommandOptions['heatmapFormat'];
  /** map values of the first and the last colour */
  heatmapRange?: ScoreCommandOptions['heatmapRange'];
  /** a strip below the heat map that says what its colours mean; default true */
  legend?: boolean;
  /** higher goes first; a step is worth ten seconds of waiting */
  priority?: number;
  /** milliseconds after the call from which on no forward pass begins for it: E_DEADLINE */
  deadlineMs?: number;
  /** name of the picture in the result; default: its path, or its kind */
  name?: string;
  /** told, a few times a second, of pictures that make several forward passes; what it throws fails the picture */
  onProgress?: (progress: PictureProgress) => void;
  signal?: AbortSignal;
}

export interface ScoreManyOptions extends Omit<ScoreOptions, 'name'> {
  batch?: 'auto' | number;
  ordered?: boolean;
}

/** How a map is laid over its picture. */
export interface HeatMapOptions
  extends Pick<PictureChoices, 'method' | 'mapThreshold' | 'bitDepth' | 'valueRange'>,
    Partial<Pick<ScoreCommandOptions, 'heatmapFormat' | 'heatmapRange'>> {
  compat?: Partial<CompatOptions>;
  /** a strip below that says what the colours mean; default true */
  legend?: boolean;
  signal?: AbortSignal;
}

/** How a data set is read: what its folders mean, and what its masks say. */
export interface DataChoices {
  /** folders of normal pictures, beside those that every one knows (good, ok, normal) */
  normalFolder?: string[];
  /** folders of anomalous pictures */
  anomalousFolder?: string[];
  /** folders of which nobody knows what they hold: refused, or taken as anomalous */
  unknownFolders?: 'stop' | 'anomalous';
  /** take what symbolic links lead to, also outside of the root */
  followLinks?: boolean;
  /** values of label maps that are defects: numbers, colours (#ff0000), names of `maskLabels`; default: all above 0 */
  maskValues?: string[];
  /** path of a file that says which value each name has */
  maskLabels?: string;
}

/** Which inputs `score` takes and what it writes. */
export interface ScoreCommandOptions {
  /** path of a mask */
  ignore: string;
  recursive: boolean;
  includeMasks: boolean;
  limit: number;
  shard: { index: number; count: number };
  resume: boolean;
  format: 'auto' | 'table' | 'jsonl' | 'csv' | 'parquet' | 'coco' | 'labelme';
  out: string;
  maps: 'npy' | 'png16' | 'tiff';
  mapSize: 'picture' | 'model';
  heatmaps: boolean;
  heatmapFormat: 'jpg' | 'png' | 'webp';
  heatmapRange: { low: number; high: number };
  timings: boolean;
  force: boolean;
  verbose: boolean;
  failOnAnomaly: boolean;
  json: boolean;
}

/** How prompts are learned (method.md 7). */
export interface TrainChoices extends DataChoices {
  epochs?: number;
  batchSize?: number;
  learningRate?: number;
  betas?: [number, number];
  weightDecay?: number;
  focalWeight?: number;
  diceWeight?: number;
  imageLossWeight?: number;
  guidance?: Guidance;
  guidanceProbability?: number;
  upsampling?: 'nearest' | 'bilinear';
  seed?: number;
  seeds?: number;
  order?: 'seeded' | 'reference';
  saveEvery?: number;
  contextRows?: number;
  deepTokens?: number;
  deepBlocks?: number;
  start?: string;
  split?: 'test' | 'train';
  layout?: string;
  leaveOut?: string[];
  portion?: number;
  kShot?: number;
  mosaicRate?: number;
  mosaicPool?: number;
  mosaicClasses?: string[];
  allowOneClass?: boolean;
  cache?: string;
  cachePrecision?: 'f16' | 'f32';
}

/** The choices, and what the command alone takes. */
export interface TrainCommandOptions extends Flat<Omit<TrainChoices, keyof DataChoices>> {
  thenTest: string;
  dryRun: boolean;
  measure: boolean;
  keepAs: string;
}

/** How a model is tested. */
export interface TestChoices extends DataChoices {
  preset?: PresetName;
  limits?: number[];
  bootstrap?: number;
  bootstrapSeed?: number;
  comparePaper?: boolean;
  keepMaps?: boolean;
  report?: boolean;
  split?: 'test' | 'train';
  layout?: string;
  batch?: 'auto' | number;
  /** pictures of a set that all have one score are no error */
  allowEqualScores?: boolean;
}

/** What the test command takes beside those of scoring and training. */
export interface TestCommandOptions
  extends Flat<Omit<TestChoices, 'split' | 'layout' | 'batch' | keyof DataChoices>> {
  grid: string;
  paperTable: PaperTableName;
  panels: string;
  methods: string[];
  normalsKShot: number[];
}

/** How a threshold is chosen. */
export interface CalibrateChoices extends DataChoices {
  /** choose by the false-alarm rate from normal pictures alone; else by the best F1 of labelled ones */
  normalOnly?: boolean;
  /** with normalOnly: bound of the probability that a normal picture is called anomalous */
  falseAlarmRate?: number;
  /** else test; with normalOnly train where that has normal pictures */
  split?: 'test' | 'train';
  layout?: string;
  /** normal pictures that all have one score are no error */
  allowEqualScores?: boolean;
  /** normal pictures that all are compared with, as a call of the engine takes them; those of the engine by default */
  normals?: string | NormalBank;
}

/** The choices, and what `calibrate` does with the threshold. */
export interface CalibrateCommandOptions
  extends Flat<
    Omit<CalibrateChoices, 'split' | 'layout' | 'allowEqualScores' | 'normals' | keyof DataChoices>
  > {
  write: boolean;
}

/** What commands take beside a bank's file. */
export interface NormalsCommandOptions {
  normalsFrom: string;
}

/** What `bench` measures, beside the engine's own options. */
export interface BenchCommandOptions {
  synthetic: boolean;
  vs: string;
  rounds: number;
  warmup: number;
  seconds: number;
  python: string;
}

/** What a request to the service takes beside the options of the library's calls. */
export interface RequestOptions {
  heatmap: boolean;
  /** how a map's values are written */
  mapType: 'float32' | 'uint16' | 'uint8';
  /** by its name in the service */
  calibration: string;
}

/** What the operator of the service says, by flags and configuration file. */
export interface ServeOptions {
  config: string;
  host: string;
  port: number;
  tokenFile: string;
  dataFolder: string;
  maxBanks: number;
  maxCalibrations: number;
  maxBankBytes: number;
  maxBankPictures: number;
  insecure: boolean;
  tlsCert: string;
  tlsKey: string;
  maxBody: number;
  maxJsonBody: number;
  maxFiles: number;
  maxQueueMs: number;
  maxHeldBytes: number;
  requestTimeoutMs: number;
  drainMs: number;
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** Where `watch` takes pictures from, and who gets the results. */
export interface WatchCommandOptions {
  settleMs: number;
  moveTo: string;
  state: string;
  deliver: string;
  webhook: string;
  webhookSecret: string;
  mqtt: string;
  mqttTopic: string;
}

/** What `data index` takes beside the options of reading. */
export interface IndexCommandOptions {
  annotations: string;
  /** path of a contact sheet that `data check` writes */
  sheet: string;
}

/** What the `weights` commands take. */
export interface WeightsCommandOptions {
  each: boolean;
  dtype: 'f32' | 'f16';
  from: string;
  learnedOn: string[];
}

/** What the commands for work past one machine take. */
export interface WorkCommandOptions {
  mixedMachines: boolean;
  redis: string;
  queue: string;
  manifest: string;
  chunk: number;
  attempts: number;
  backoffMs: number;
  jobPriority: number;
  again: boolean;
  lockMs: number;
  jobsPerMinute: number;
  untilEmpty: boolean;
  metricsPort: number;
  submission: string;
}

/** What `plan` is asked, and what it assumes. */
export interface PlanCommandOptions {
  pictures: number;
  deadline: string;
  pricePerHour: number;
  rate: number;
  startSeconds: number;
  spread: number;
  slowShare: number;
  slowTimes: number;
  killsPerHour: number;
  replaceSeconds: number;
  failShare: number;
}

export interface BuildCommandOptions {
  clean: boolean;
  tests: boolean;
  fetch: boolean;
  refetch: boolean;
  jobs: number;
}

type NotInTable = 'compat' | 'signal' | 'name' | 'onWarning' | 'onProgress' | 'legend';
type Flat<T> = { [K in keyof T as K extends NotInTable ? never : K]-?: Exclude<T[K], undefined> };
type FlatCompat = { [K in keyof CompatOptions as `compat.${K}`]: CompatOptions[K] };

/** Every option under its one name. */
export type AllOptions = Flat<EngineOptions> &
  Flat<ScoreOptions> &
  Flat<ScoreManyOptions> &
  FlatCompat &
  Flat<LearnNormalsChoices> &
  Flat<DataChoices> &
  ScoreCommandOptions &
  CalibrateCommandOptions &
  TrainCommandOptions &
  TestCommandOptions &
  NormalsCommandOptions &
  BenchCommandOptions &
  RequestOptions &
  ServeOptions &
  WatchCommandOptions &
  IndexCommandOptions &
  WeightsCommandOptions &
  WorkCommandOptions &
  PlanCommandOptions &
  BuildCommandOptions;
export type OptionName = keyof AllOptions;
