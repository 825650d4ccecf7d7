/** An addon without libtorch: scores are computed from the pixels, so that every promise around them can be tested. */
import type {
  CancelFlag,
  EngineConfig,
  Material,
  MethodOptions,
  NativeAddon,
  NativeEngine,
  NativePicture,
  Region,
  ScoreRequest,
  ScoreResult,
  TokenComparison,
} from '../../../src/addon/native.js';
import { plainMasks } from '../../../src/data/plain-masks.js';
import { plainMosaics } from '../data/plain-mosaic.js';
import { slowBootstraps } from '../metrics/slow-bootstraps.js';
import { brightness, FakeBanks, fakeBackground } from './fake-banks.js';
import {
  addFakeCells,
  beginFakeTraining,
  checkFakeFeatures,
  fakeCells,
  fakeShape,
  inspectFake,
  readFakeTensor,
  type TrainingBehaviour,
  writeFakeFeatures,
} from './fake-training.js';

export interface FakeAddon extends NativeAddon {
  /** what was asked of the engines, in order */
  log: {
    opened: EngineConfig[];
    prompts: { material: Material; method: MethodOptions }[];
    removed: number[];
    passes: { requests: ScoreRequest[]; method: MethodOptions }[];
    /** paths of features in the order in which they were written */
    features: string[];
    /** matrix products that were timed */
    products: { size: number; repeats: number; precision: string; device: string }[];
    disposed: number;
  };
  /** most passes that ran at once */
  readonly concurrency: number;
}

export interface FakeBehaviour {
  passMs?: number;
  /** throws for a picture that no engine can score */
  check?: (request: ScoreRequest) => void;
  /** throws for a pass that no engine can run */
  checkPass?: (requests: ScoreRequest[]) => void;
  /** released by the test: passes wait for it */
  gate?: (requests: ScoreRequest[]) => Promise<void> | undefined;
  /** counts the views of a pass, which waits for it */
  countViews?: (flag: { viewsDone: number }) => Promise<void>;
  /** called while texts, files or pictures become what scores are made with */
  onEncode?: (material: Material) => void;
  /** learning a normal picture waits for it */
  onLearn?: () => Promise<void> | undefined;
  training?: TrainingBehaviour;
  /** what compareStoredTokens finds */
  tokens?: TokenComparison;
}

const k_mapSide = 8;

export function makeFakeAddon(behaviour: FakeBehaviour = {}): FakeAddon {
  const log: FakeAddon['log'] = {
    opened: [],
    prompts: [],
    removed: [],
    passes: [],
    features: [],
    products: [],
    disposed: 0,
  };
  const running = { now: 0, most: 0 };
  const notFaked = (name: string) => () => Promise.reject(new Error(`the fake addon has no ${name}`));
  return {
    log,
    shutDown: () => undefined,
    get concurrency() {
      return running.most;
    },
    info: async () => ({
      version: '0.1.0',
      libtorch: '2.11.0',
      libtorchBuildId: 'fake',
      cuda: false,
      isa: 'plain',
      kernels: 'linear=ref,attention=ref,affinity=ref,nearest=ref',
      precisions: ['float32', 'bfloat16', 'int8'],
      devices: ['cpu'],
      sharedWeights: { tensors: 0, bytes: 0 },
    }),
    setThreads: async (threads) => threads || 2,
    openEngine: async (config) => {
      log.opened.push(config);
      if (config.width % 14 !== 0 || config.height % 14 !== 0) {
        throw Object.assign(new Error('no multiple of the patch of 14'), { code: 'E_MODEL_CONFIG' });
      }
      return makeFakeEngine(config, behaviour, log, running);
    },
    createCancelFlag: () => new FakeCancelFlag(),
    inspectWeights: inspectFake,
    readTensor: readFakeTensor,
    compareStoredTokens: async () => behaviour.tokens ?? { rows: 0, difference: 0, magnitude: 0 },
    verifyWeights: notFaked('verifyWeights'),
    convertWeights: notFaked('convertWeights'),
    synthWeights: notFaked('synthWeights'),
    checkFeatures: checkFakeFeatures,
    addCells: (path, _shape, masks) => addFakeCells(path, masks, behaviour.training ?? {}),
    methodFacts: () => ({
      parts: ['fused', 'map-max'],
      couplesPictures: false,
      isRecordable: true,
      mayBeNan: false,
    }),
    countCells: async (mask, _width, _height, grid) => fakeCells(mask, grid),
    referenceOrder: async (seed, count, epoch) =>
      Int32Array.from({ length: count }, (_, at) => (at * 7 + seed + epoch) % count),
    normalise: notFaked('normalise'),
    resizePicture: async (picture, width, height) => nearestRgb(picture, width, height),
    resizeMask: async (mask, width, height) => {
      const rgb = nearestRgb(mask, width, height);
      return Uint8Array.from({ length: width * height }, (_, at) => (rgb[3 * at]! > 0 ? 1 : 0));
    },
    demosaic: notFaked('demosaic'),
    ...plainMasks,
    ...plainMosaics(async (picture, width, height) => nearestRgb(picture, width, height)),
    resizeMap: async (map, width, height, toWidth, toHeight) =>
      nearestMap(map, width, height, toWidth, toHeight),
    overlay: async (...args) => fakeOverlay(...args),
    timeGemm: async (size, repeats, precision, device) => {
      log.products.push({ size, repeats, precision, device });
      return { seconds: 0.5, cpuSeconds: 0.25 };
    },
    timePeaks: async () =>
      (['avx512', 'ref'] as const).map((face) => ({
        format: 'float32',
        face,
        instruction: `${face}'s own`,
        operations: face === 'ref' ? 1e9 : 4e9,
        seconds: 0.01,
        cpuSeconds: 0.02,
      })),
    ...slowBootstraps,
    figuresOfDraws: notFaked('figuresOfDraws'),
    createMetricEvaluator: () => {
      throw new Error('the fake addon has no createMetricEvaluator');
    },
    regions: async (map, width, height, threshold) => boundingBox(map, width, height, threshold),
  };
}

class FakeCancelFlag implements CancelFlag {
  isCancelled = false;
  viewsDone = 0;
  cancel() {
    this.isCancelled = true;
  }
}

function makeFakeEngine(
  config: EngineConfig,
  { passMs = 1, check, checkPass, gate, countViews, onEncode, onLearn, training = {} }: FakeBehaviour,
  log: FakeAddon['log'],
  running: { now: number; most: number },
): NativeEngine {
  const tower = { width: 64, layers: 4, heads: 1, parameters: 1000, packed: 'memory' as const };
  let isDisposed = false;
  const banks = new FakeBanks();
  return {
    facts: {
      patch: 14,
      vision: tower,
      text: tower,
      jointWidth: 64,
      device: config.device,
      precision: config.precision ?? 'float32',
      kernels: 'linear=ref,attention=ref,affinity=ref,nearest=ref',
      threads: config.threads || 2,
      lanes: config.picturesInParallel ? config.threads || 2 : 1,
      weightBytes: 4000,
      workingBytes: 1000,
    },
    async addContext(material, method) {
      log.prompts.push({ material, method });
      const handle = log.prompts.length;
      onEncode?.(material);
      if (material.normals) await onLearn?.();
      if (isOfBanks(method) || isMemory(material))
        await banks.add(handle, material, method['bankForeground'] === true);
      return handle;
    },
    removeContext(handle) {
      log.removed.push(handle);
      banks.remove(handle);
    },
    writeContext: (handle, path, metadata) => banks.write(handle, path, metadata),
    leftOut: (handle) => banks.leftOut(handle),
    ownScores: async (handle) => banks.own(handle),
    textVectors: async () => new Float32Array(128),
    async score(requests, method, cancel) {
      if (isDisposed) throw Object.assign(new Error('disposed'), { code: 'E_DISPOSED' });
      log.passes.push({ requests, method });
      running.most = Math.max(running.most, ++running.now);
      try {
        await new Promise((resolve) => setTimeout(resolve, passMs));
        await gate?.(requests);
        await countViews?.(cancel as FakeCancelFlag);
        if ((cancel as FakeCancelFlag | undefined)?.isCancelled)
          throw Object.assign(new Error('cancelled'), { code: 'E_CANCELLED' });
        checkPass?.(requests);
        return requests.map((request) => {
          check?.(request);
          const score = fakeScore(request, method);
          if (!isOfBanks(method)) return score;
          return {
            ...score,
            score: banks.distance(request.picture, request.context),
            parts: { background: fakeBackground(brightness(request.picture)) },
          };
        });
      } finally {
        running.now--;
      }
    },
    scorePreprocessed: async (input, { batch, height, width }, _prompts, _method, wantMap) => {
      await new Promise((resolve) => setTimeout(resolve, passMs));
      return Array.from({ length: batch }, (_, image) => ({
        score: Math.abs(input[image * 3 * height * width]!) % 1,
        parts: { fused: 0, 'map-max': 0 },
        mapMax: 0,
        ...(wantMap ? { map: { data: new Float32Array(height * width), width, height } } : {}),
        ms: { preprocess: 0, forward: 1, postprocess: 0 },
      }));
    },
    trace: () => Promise.reject(new Error('not faked')),
    traceContext: () => Promise.reject(new Error('not faked')),
    beginTraining: (start, _method, settings) => beginFakeTraining(start, settings, training),
    featureShape: () => fakeShape(config.width, config.height),
    async writeFeatures(pictures, _precision, _method, cancel) {
      for (const picture of pictures) {
        await new Promise((resolve) => setTimeout(resolve, passMs));
        if ((cancel as FakeCancelFlag | undefined)?.isCancelled)
          throw Object.assign(new Error('cancelled'), { code: 'E_CANCELLED' });
        log.features.push(picture.path);
        await writeFakeFeatures(picture, training);
      }
    },
    async dispose() {
      isDisposed = true;
      log.disposed++;
    },
  };
}

/** Mean brightness, shifted a little by sigma; the map is the picture in 8 x 8. */
function fakeScore(
  { picture, wantMap, mapInPictureSize, regionsAt, heat, context }: ScoreRequest,
  method: MethodOptions,
): ScoreResult {
  let sum = 0;
  for (const value of picture.data) sum += value;
  const score = Math.min(1, sum / picture.data.length / 255 + method.sigma / 1e4 + context / 1e6);
  const rgb = nearestRgb(picture, k_mapSide, k_mapSide);
  const data = Float32Array.from({ length: k_mapSide ** 2 }, (_, at) => rgb[3 * at]! / 255);
  return {
    score,
    parts: { fused: score, 'map-max': Math.max(...data) },
    mapMax: Math.max(...data),
    ...(wantMap
      ? { map: mapInPictureSize ? inSizeOf(picture, data) : { data, width: k_mapSide, height: k_mapSide } }
      : {}),
    ...(heat ? { heat: fakeOverlay(picture, data, k_mapSide, k_mapSide, heat.low, heat.high) } : {}),
    ...(regionsAt === undefined ? {} : { regions: regionsOf(data, picture, regionsAt) }),
    ms: { preprocess: 1, forward: 2, postprocess: 3 },
  };
}

function inSizeOf({ width, height }: NativePicture, map: Float32Array): NonNullable<ScoreResult['map']> {
  return { data: nearestMap(map, k_mapSide, k_mapSide, width, height), width, height };
}

/** The share of the range in red. */
function fakeOverlay(
  picture: NativePicture,
  map: Float32Array,
  mapWidth: number,
  mapHeight: number,
  low: number,
  high: number,
): Uint8Array {
  const rgb = nearestRgb(picture, picture.width, picture.height);
  for (let at = 0; at < picture.width * picture.height; at++) {
    const x = Math.floor(((at % picture.width) * mapWidth) / picture.width);
    const y = Math.floor((Math.floor(at / picture.width) * mapHeight) / picture.height);
    const share = (map[y * mapWidth + x]! - low) / (high - low);
    rgb[3 * at] = Math.round(255 * Math.min(1, Math.max(0, share)));
  }
  return rgb;
}

/** In the picture's own pixels. */
function regionsOf(map: Float32Array, { width, height }: NativePicture, threshold: number): Region[] {
  return boundingBox(nearestMap(map, k_mapSide, k_mapSide, width, height), width, height, threshold);
}

function nearestMap(map: Float32Array, width: number, height: number, toWidth: number, toHeight: number) {
  return Float32Array.from({ length: toWidth * toHeight }, (_, at) => {
    const x = Math.floor(((at % toWidth) * width) / toWidth);
    const y = Math.floor((Math.floor(at / toWidth) * height) / toHeight);
    return map[y * width + x]!;
  });
}

function nearestRgb({ data, width, height }: NativePicture, toWidth: number, toHeight: number): Uint8Array {
  const channels = data.length / (width * height);
  const rgb = new Uint8Array(toWidth * toHeight * 3);
  for (let at = 0; at < toWidth * toHeight; at++) {
    const x = Math.floor(((at % toWidth) * width) / toWidth);
    const y = Math.floor((Math.floor(at / toWidth) * height) / toHeight);
    for (let c = 0; c < 3; c++) rgb[3 * at + c] = data[(y * width + x) * channels + (channels < 3 ? 0 : c)]!;
  }
  return rgb;
}

function boundingBox(map: Float32Array, width: number, height: number, threshold: number): Region[] {
  const inside = [...map.keys()].filter((at) => map[at]! >= threshold);
  if (inside.length === 0) return [];
  const xs = inside.map((at) => at % width);
  const ys = inside.map((at) => Math.floor(at / width));
  const values = inside.map((at) => map[at]!);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  const area = inside.length;
  const box = { x, y, width: Math.max(...xs) - x + 1, height: Math.max(...ys) - y + 1 };
  if (height < 1) return [];
  return [{ ...box, area, peak: Math.max(...values), mean: values.reduce((a, b) => a + b, 0) / area }];
}

/** What a method keeps of normal pictures, before texts stand beside it. */
function isMemory({ texts, normals, contexts, files }: Material): boolean {
  const isOfPictures =
    normals !== undefined || contexts?.['memory'] !== undefined || files['memory'] !== undefined;
  return isOfPictures && Object.keys(texts).length === 0;
}

function isOfBanks({ name }: MethodOptions): boolean {
  return name === 'normals' || name === 'both';
}
