/**
 * THE table of options. Command line, library and HTTP service, their checks, their help and the reference page
 * are made from it; nothing else in src/ holds a default or a range. One concept, one name: `eAttn` here and in
 * the library, `--e-attn` in the shell.
 *
 * Two names that sound alike: `maps` is the format in which `score` writes maps to files; `dAttnMaps` says which
 * of D-Attn's and E-Attn's maps make the anomaly map (`maps` in the method section of model.json).
 */

import { widestRange } from '../methods/registry.js';
import { benchCommandOptions } from './bench.js';
import { buildCommandOptions } from './build.js';
import { calibrateCommandOptions } from './calibrate.js';
import { dataOptions, indexCommandOptions } from './data.js';
import type { LibraryCall, OptionSpec } from './kinds.js';
import { choice, flag, int, lowAndHigh, num, orNone, orWord, pair, rectangle, text } from './kinds.js';
import { methodCalls, methodOptions } from './method.js';
import { normalsOptions } from './normals.js';
import { planCommandOptions } from './plan.js';
import { scoreCommandOptions } from './score.js';
import { serveOptions } from './serve.js';
import { testCommandOptions } from './test.js';
import { trainCommandOptions } from './train.js';
import type { AllOptions, OptionName, Size } from './types.js';
import { watchOptions } from './watch.js';
import { weightsCommandOptions } from './weights.js';
import { workCommandOptions } from './work.js';

type ValueRange = NonNullable<AllOptions['valueRange']>;
type OptionTable = { readonly [K in OptionName]: OptionSpec<AllOptions[K]> };

const everywhere = ['cli', 'library', 'http'] as const;
/** a request may choose it, and the operator may choose another default */
const anywhere = ['cli', 'library', 'http', 'serve'] as const;
const local = ['cli', 'library'] as const;
/** of a loaded engine: the operator's matter, never a request's */
const loaded = ['cli', 'library', 'serve'] as const;
const load: readonly LibraryCall[] = ['loadEngine'];
const pictures: readonly LibraryCall[] = ['loadEngine', 'score', 'scoreMany', 'evaluateDataSets'];
const readings: readonly LibraryCall[] = [...pictures, 'heatMap'];
const perCall: readonly LibraryCall[] = ['score', 'scoreMany'];
const modelJson = 'from the model';

const isSize = (value: unknown): value is Size =>
  typeof value === 'object' &&
  value !== null &&
  [(value as Size).width, (value as Size).height].every(
    (side) => Number.isSafeInteger(side) && side > 0 && side <= 16384,
  );
const isSizeOrSide = (value: unknown): value is number | Size =>
  (Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= 16384) || isSize(value);

const isValueRange = (value: unknown): value is ValueRange => {
  const { low, high } = (value ?? {}) as ValueRange;
  return Number.isFinite(low) && Number.isFinite(high) && low < high;
};

const side = { type: 'integer', minimum: 1, maximum: 16_384 } as const;
const sides = {
  type: 'object',
  properties: { width: side, height: side },
  required: ['width', 'height'],
} as const;

export const options = {
  // --- engine: fixed when it is loaded
  model: text({
    group: 'Engine',
    scope: ['cli', 'library', 'http', 'serve'],
    calls: load,
    default: 'crane-mini',
    help: 'name of a model, its folder, or the path of its model.json',
  }),
  device: text({
    group: 'Engine',
    scope: loaded,
    calls: load,
    default: 'auto',
    help: 'auto, cpu, cuda, cuda:N or several as cuda:0,cuda:1; auto takes a GPU when engine and machine have one',
  }),
  threads: int({
    group: 'Engine',
    scope: loaded,
    calls: load,
    min: 0,
    max: 1024,
    default: 0,
    help: 'threads of the compute pool; 0: one per physical core',
  }),
  precision: choice(['auto', 'float32', 'bfloat16', 'float16', 'int8'], {
    group: 'Engine',
    scope: loaded,
    calls: load,
    default: 'auto',
    help: 'of products in the vision towers; auto: float32 unless bfloat16 was shown harmless; int8: CPU; float16: GPU',
  }),
  size: pair<number | Size>({
    group: 'Engine',
    scope: loaded,
    calls: load,
    defaultText: modelJson,
    schema: { anyOf: [side, sides] },
    expected: 'N or WxH in pixels, each side from 1 to 16384 and a multiple of the patch',
    pattern: /^(\d+)(?:x(\d+))?$/,
    accepts: isSizeOrSide,
    make: (width, height) => (width === height ? width : { width, height }),
    help: 'input of the model in pixels, N or WxH; multiples of the patch',
  }),
  startCache: flag({
    group: 'Engine',
    scope: loaded,
    calls: load,
    default: true,
    help: 'keep packed weights and encoded prompts in the cache folder for the next start',
  }),
  maxPixels: int({
    group: 'Engine',
    scope: loaded,
    calls: load,
    min: 64,
    max: 2 ** 31 - 1,
    default: 100_000_000,
    help: 'pictures with more pixels are refused before they are decoded; so are those that fit tile enlarges to more',
  }),
  maxTiles: int({
    group: 'Engine',
    scope: ['library', 'serve'],
    calls: load,
    min: 1,
    max: 65_536,
    default: 65_536,
    defaultText: '`65536`; of the service `100`',
    help: 'forward passes of one picture with fit tile; one that needs more is refused before the first',
  }),
  maxDecodedBytes: int({
    group: 'Engine',
    scope: ['library', 'serve'],
    calls: load,
    min: 1,
    default: 512 * 2 ** 20,
    help: 'bytes of decoded pictures held at once; more wait',
  }),

  // --- queue: calls at the same time are batched
  parallel: choice(['parts', 'pictures'], {
    group: 'Queue',
    scope: loaded,
    calls: load,
    default: 'parts',
    help: 'what threads of a CPU share: the parts of one picture, or pictures, for many on a shared machine',
  }),
  maxBatch: int({
    group: 'Queue',
    scope: ['library', 'serve'],
    calls: load,
    min: 1,
    max: 1024,
    default: 8,
    help: 'most pictures of simultaneous calls that share one forward pass',
  }),
  maxWaitMs: num({
    group: 'Queue',
    scope: ['library', 'serve'],
    calls: load,
    min: 0,
    max: 60_000,
    default: 2,
    help: 'milliseconds that a call waits for others before it starts',
  }),
  maxQueue: int({
    group: 'Queue',
    scope: ['library', 'serve'],
    calls: load,
    min: 1,
    default: 256,
    help: 'calls that may be under way or wait; one more fails with E_QUEUE_FULL',
  }),
  priority: int({
    group: 'Queue',
    scope: ['library'],
    calls: perCall,
    min: -100,
    max: 100,
    default: 0,
    help: 'higher goes first; a step is worth ten seconds of waiting, so that nothing waits for ever',
  }),
  deadlineMs: num({
    group: 'Queue',
    scope: ['library', 'http'],
    calls: perCall,
    min: 0,
    max: 2 ** 31 - 1,
    defaultText: 'none',
    help: 'milliseconds after the call from which on no forward pass begins for it: E_DEADLINE',
  }),

  // --- picture: per call and per picture
  prompts: text({
    group: 'Picture',
    scope: anywhere,
    calls: methodCalls,
    defaultText: modelJson,
    help: 'a prompt set of the model by name, a prompt file (.pth, .safetensors), or the folder of a training',
  }),
  ...normalsOptions,
  className: text({
    group: 'Picture',
    scope: anywhere,
    calls: methodCalls,
    defaultText: "none; of labelled data the data set's",
    help: 'what the pictures show, for methods whose texts name it: bottle',
  }),
  fit: choice(['stretch', 'pad', 'tile'], {
    group: 'Picture',
    scope: anywhere,
    calls: pictures,
    default: 'stretch',
    help: 'stretch to the input size; pad to its shape; or tile in steps of its size',
  }),
  tileOverlap: num({
    group: 'Picture',
    scope: anywhere,
    calls: pictures,
    min: 0,
    max: 0.9,
    default: 0.25,
    help: 'overlap of neighbouring tiles as a share of their side',
  }),
  threshold: orNone(
    num({
      group: 'Picture',
      scope: anywhere,
      calls: pictures,
      min: widestRange('score')[0],
      max: widestRange('score')[1],
      defaultText: modelJson,
      help: 'a picture with this score or more is anomalous',
    }),
  ),
  mapThreshold: orNone(
    num({
      group: 'Picture',
      scope: anywhere,
      calls: readings,
      min: widestRange('map')[0],
      max: widestRange('map')[1],
      defaultText: modelJson,
      help: 'map values at or above it make the regions',
    }),
  ),
  bitDepth: orWord(
    'auto',
    int({
      group: 'Picture',
      scope: everywhere,
      calls: readings,
      min: 8,
      max: 16,
      help: 'bits that pictures of more than 8 bits really use; auto: as the file says',
    }),
    'auto',
  ),
  valueRange: orNone(
    pair<ValueRange>({
      group: 'Picture',
      scope: everywhere,
      calls: readings,
      defaultText: 'as the file says',
      expected: 'LOW,HIGH with LOW below HIGH',
      schema: lowAndHigh,
      pattern: /^(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)$/i,
      accepts: isValueRange,
      make: (low, high) => ({ low, high }),
      help: 'values that are black and white in pictures of more than 8 bits; floating point needs it',
    }),
  ),
  roi: rectangle({
    group: 'Inputs',
    scope: everywhere,
    calls: perCall,
    defaultText: 'the whole picture',
    help: 'region of interest, in pixels of the upright picture: nothing outside of it is looked at',
  }),
  map: flag({
    group: 'Picture',
    scope: ['library', 'http'],
    calls: perCall,
    default: false,
    help: 'return the anomaly map',
  }),
  regions: flag({
    group: 'Picture',
    scope: everywhere,
    calls: perCall,
    default: false,
    help: "return the anomalous regions in the picture's pixels",
  }),
  batch: orWord(
    'auto',
    int({
      group: 'Picture',
      scope: local,
      calls: ['scoreMany', 'evaluateDataSets'],
      min: 1,
      max: 1024,
      help: 'pictures per forward pass; never changes a score; auto: 1 on a CPU, 8 on a GPU',
    }),
    'auto',
  ),
  ordered: flag({
    group: 'Picture',
    scope: ['library'],
    calls: ['scoreMany'],
    default: true,
    help: 'results in the order of the inputs; false: as they finish',
  }),

  ...methodOptions,
  'compat.exif': flag({
    group: 'Compatibility',
    scope: local,
    calls: readings,
    default: true,
    help: 'turn pictures as their EXIF orientation says; false: as stored',
  }),
  'compat.grey16': flag({
    group: 'Compatibility',
    scope: local,
    calls: readings,
    default: false,
    help: 'everything above 255 in 16-bit grey is white, as in the reference; false: scaled',
  }),
  'compat.maskGrey': flag({
    group: 'Compatibility',
    scope: local,
    calls: readings,
    default: false,
    help: 'read masks as the reference does: above 0 after conversion to 8-bit grey, lossy files too',
  }),

  ...serveOptions,
  ...watchOptions,
  ...dataOptions,
  ...scoreCommandOptions,
  ...calibrateCommandOptions,
  ...trainCommandOptions,
  ...testCommandOptions,
  ...benchCommandOptions,
  ...indexCommandOptions,
  ...weightsCommandOptions,
  ...workCommandOptions,
  ...planCommandOptions,
  ...buildCommandOptions,
} satisfies OptionTable;

/** Looks an option up; undefined when there is none of that name. */
export function findOption(name: string): OptionSpec<unknown> | undefined {
  return Object.hasOwn(options, name) ? (options[name as OptionName] as OptionSpec<unknown>) : undefined;
}

export const optionNames = Object.keys(options) as OptionName[];

/** The default of an option that has one. */
export function defaultOf<K extends OptionName>(name: K): AllOptions[K] {
  const value = (options[name] as OptionSpec<unknown>).default;
  if (value === undefined) throw new TypeError(`option ${name} has no default`);
  return value as AllOptions[K];
}

/** `eAttn` is `--e-attn`, `compat.batchMean` is `--compat.batch-mean`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
