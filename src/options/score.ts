/** The part of THE table (table.ts) that belongs to the score command alone: which inputs, which outputs. */
import { choice, flag, int, lowAndHigh, type OptionSpec, pair, text } from './kinds.js';
import type { ScoreCommandOptions } from './types.js';

const cli = ['cli'] as const;

const isShard = (value: unknown): value is ScoreCommandOptions['shard'] => {
  const { index, count } = (value ?? {}) as ScoreCommandOptions['shard'];
  return Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 1 && index <= count;
};
const isRange = (value: unknown): value is ScoreCommandOptions['heatmapRange'] => {
  const { low, high } = (value ?? {}) as ScoreCommandOptions['heatmapRange'];
  return Number.isFinite(low) && Number.isFinite(high) && low < high;
};

export const scoreCommandOptions = {
  // --- inputs
  recursive: flag({
    group: 'Inputs',
    scope: cli,
    default: false,
    help: 'take the pictures of subfolders too',
  }),
  includeMasks: flag({
    group: 'Inputs',
    scope: cli,
    default: false,
    help: 'score the masks of pictures too: NAME_mask beside NAME, folders of masks',
  }),
  ignore: text({
    group: 'Inputs',
    scope: cli,
    defaultText: 'none',
    help: 'mask of the size of every picture: pixels where it is above 0 are ignored',
  }),
  limit: int({
    group: 'Inputs',
    scope: cli,
    min: 1,
    defaultText: 'all',
    help: 'stop after this many pictures',
  }),
  shard: pair<ScoreCommandOptions['shard']>({
    group: 'Inputs',
    scope: cli,
    defaultText: 'all',
    schema: {
      type: 'object',
      properties: { index: { type: 'integer' }, count: { type: 'integer' } },
      required: ['index', 'count'],
    },
    expected: 'I/N with I from 1 to N, or index/N',
    pattern: /^(\d+)\/(\d+)$/,
    accepts: isShard,
    make: (index, count) => ({ index, count }),
    help: 'score the I-th of N parts of the inputs, to split the work over machines; merge joins them',
  }),
  resume: flag({
    group: 'Inputs',
    scope: cli,
    default: false,
    help: 'skip inputs that the results in --out already hold',
  }),

  // --- output
  format: choice(['auto', 'table', 'jsonl', 'csv', 'parquet', 'coco', 'labelme'], {
    group: 'Output',
    scope: cli,
    default: 'auto',
    help: 'results on stdout; auto: table on a terminal, jsonl when piped; coco, labelme: outlines of regions in --out',
  }),
  out: text({
    group: 'Output',
    scope: cli,
    defaultText: 'none',
    help: 'folder or s3://BUCKET/PREFIX for results.jsonl, maps and heat maps',
  }),
  maps: choice(['npy', 'png16', 'tiff'], {
    group: 'Output',
    scope: cli,
    defaultText: 'none',
    help: 'write each anomaly map: float32 NumPy, 16-bit PNG or float32 TIFF',
  }),
  mapSize: choice(['picture', 'model'], {
    group: 'Output',
    scope: ['cli', 'library'],
    calls: ['score', 'scoreMany'],
    default: 'picture',
    defaultText: '`picture`; of the library `model`',
    help: "pixels of maps: the picture's, or as the model made them",
  }),
  heatmaps: flag({
    group: 'Output',
    scope: cli,
    default: false,
    help: 'write each picture with its map laid over it',
  }),
  heatmapFormat: choice(['jpg', 'png', 'webp'], {
    group: 'Output',
    scope: ['cli', 'library'],
    calls: ['heatMap', 'score', 'scoreMany'],
    default: 'jpg',
    help: 'file type of the heat maps',
  }),
  heatmapRange: pair<ScoreCommandOptions['heatmapRange']>({
    group: 'Output',
    scope: ['cli', 'library', 'http'],
    calls: ['heatMap', 'score', 'scoreMany'],
    defaultText: "the method's: 0,1 of most; with normal pictures to twice the map threshold, or 0.3",
    schema: lowAndHigh,
    expected: 'LOW,HIGH with LOW below HIGH',
    pattern: /^(-?[\d.]+),(-?[\d.]+)$/,
    accepts: isRange,
    make: (low, high) => ({ low, high }),
    help: 'map values of the first and the last colour, one scale for the whole run',
  }),
  timings: flag({
    group: 'Output',
    scope: cli,
    default: true,
    help: 'milliseconds in each result; --no-timings makes equal runs give equal bytes',
  }),
  force: flag({ group: 'Output', scope: cli, default: false, help: 'overwrite what exists' }),
  verbose: flag({
    group: 'Output',
    scope: cli,
    default: false,
    help: 'say on stderr what is loaded and needed',
  }),
  failOnAnomaly: flag({
    group: 'Output',
    scope: cli,
    default: false,
    help: 'end with exit code 10 when a picture is anomalous; needs a threshold',
  }),
  json: flag({ group: 'Output', scope: cli, default: false, help: 'errors as JSON on stderr' }),
} satisfies { readonly [K in keyof ScoreCommandOptions]: OptionSpec<ScoreCommandOptions[K]> };
