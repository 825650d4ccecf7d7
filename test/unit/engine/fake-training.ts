/**
 * Training without libtorch: one number is learned, and its losses fall with every step. Files are JSON, whole or not
 * at all, so that saving, going on and damage can be tested.
 */
import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { NativePicture, TensorInfo } from '../../../src/addon/native.js';
import type {
  FeatureCheck,
  FeatureShape,
  LearnerSettings,
  MaskCells,
  NativeTraining,
  StepLosses,
  TrainItem,
} from '../../../src/addon/training.js';

export interface TrainingBehaviour {
  /** loss is not finite at this step, from 1 */
  divergeAt?: number;
  /** throws for prompts that no training can begin with */
  checkStart?: (start: object) => void;
  /** called before anything is written */
  beforeWrite?: (path: string) => void;
  /** called with the items of every step */
  onStep?: (items: TrainItem[]) => void | Promise<void>;
}

interface State {
  parameter: number;
  moment: number;
  steps: number;
}

export async function beginFakeTraining(
  start: object,
  options: LearnerSettings,
  behaviour: TrainingBehaviour,
): Promise<NativeTraining> {
  behaviour.checkStart?.(start);
  const state: State =
    'state' in start
      ? ((await readFake(String(start.state)))['state'] as State)
      : { parameter: 'seed' in start ? Number(start.seed) / 1000 : 1, moment: 0, steps: 0 };
  return {
    step: async (given) => {
      const items = given as TrainItem[];
      await behaviour.onStep?.(items);
      if (state.steps + 1 === behaviour.divergeAt)
        throw Object.assign(new Error('the loss is not finite'), { code: 'E_TRAIN_DIVERGED' });
      return fakeStep(state, items, options);
    },
    stepOnPictures: () => Promise.reject(new Error('not faked')),
    state: () => Promise.reject(new Error('not faked')),
    save: (path, extra, metadata) => {
      const kinds = Object.entries(extra).map(([name, data]) => [
        `extra.${name}`,
        { dtype: data instanceof Float64Array ? 'F64' : 'I32', data: [...data] },
      ]);
      return writeFake(path, { state, extra: Object.fromEntries(kinds), metadata }, behaviour);
    },
    writeCheckpoint: (path, format, metadata) =>
      writeFake(path, { format, parameter: state.parameter, metadata }, behaviour),
    end: async () => undefined,
  };
}

/** Depends on the order of the pictures, so that a wrong order shows in every later byte. */
async function fakeStep(state: State, items: TrainItem[], options: LearnerSettings): Promise<StepLosses> {
  let gradient = 0;
  for (const [at, { features, cells, isAnomalous }] of items.entries()) {
    const { mean, masks } = (await readFake(features)) as unknown as FakeFeatures;
    if (masks === undefined || (cells !== undefined && !(cells in masks)))
      throw Object.assign(new Error(`${features}: has no counts of the mask ${cells}`), {
        code: 'E_TRAIN_FEATURES',
      });
    const share = cells ? masks[cells]!.reduce((sum, count) => sum + count, 0) / 784 : 0.5;
    gradient += ((at + 1) * (mean + share + (isAnomalous ? 1 : 0))) / items.length;
  }
  const [beta1, rate, weight] = ['beta1', 'learningRate', 'imageLossWeight'].map((name) =>
    Number(options[name]),
  );
  state.moment = beta1! * state.moment + (1 - beta1!) * gradient;
  state.parameter -= rate! * state.moment;
  state.steps++;
  const focal = 1 / (1 + state.steps) + state.parameter / 1e3;
  const dice = 2 * focal;
  return { focal, dice, image: focal / 2, total: focal + dice + weight! * (focal / 2) };
}

export function fakeShape(width: number, height: number): FeatureShape {
  const grid = { width: width / 14, height: height / 14 };
  const tensors = [
    { name: 'global', shape: [64] },
    { name: 'maps', shape: [1, grid.width * grid.height, 64] },
  ];
  return { tensors, grid };
}

interface FakeFeatures {
  mean: number;
  check: string;
  /** undefined: as the version before wrote it */
  masks?: Record<string, number[]>;
}

export async function writeFakeFeatures(
  { picture, path, masks = [] }: { picture: NativePicture; path: string; masks?: readonly MaskCells[] },
  behaviour: TrainingBehaviour,
): Promise<void> {
  let sum = 0;
  for (const value of picture.data) sum += value;
  const mean = sum / picture.data.length / 255;
  await writeFake(path, { mean, check: checksum(mean), masks: plain(masks) }, behaviour);
}

function plain(masks: readonly MaskCells[]): Record<string, number[]> {
  return Object.fromEntries(masks.map(({ name, anomalous }) => [name, [...anomalous]]));
}

export async function addFakeCells(
  path: string,
  masks: readonly MaskCells[],
  behaviour: TrainingBehaviour,
): Promise<void> {
  const { masks: kept = {}, ...features } = (await readFake(path)) as unknown as FakeFeatures;
  await writeFake(path, { ...features, masks: { ...kept, ...plain(masks) } }, behaviour);
}

/** What a step would learn with this item: the counts of its mask. */
export async function fakeCellsOf({ features, cells }: TrainItem): Promise<number[] | undefined> {
  const { masks } = (await readFake(features)) as unknown as FakeFeatures;
  return cells === undefined ? undefined : masks![cells];
}

export async function checkFakeFeatures(path: string): Promise<FeatureCheck> {
  try {
    const { mean, check, masks } = (await readFake(path)) as unknown as FakeFeatures;
    if (check !== checksum(mean)) return { state: 'damaged', masks: {} };
    if (masks === undefined) return { state: 'of-before', masks: {} };
    const sums = Object.entries(masks).map(([name, counts]) => [name, counts.reduce((a, b) => a + b, 0)]);
    return { state: 'whole', masks: Object.fromEntries(sums) };
  } catch (thrown) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '');
    return { state: isMissing ? 'missing' : 'damaged', masks: {} };
  }
}

/** Files of tests that hold any bytes are prompts that say nothing of themselves. */
export async function inspectFake(path: string) {
  const content = await readFile(path, 'utf8');
  const { metadata = {}, extra = {} } = (content.startsWith('{') ? JSON.parse(content) : {}) as {
    metadata?: Record<string, string>;
    extra?: Record<string, { dtype: string; data: number[] }>;
  };
  const tensors: TensorInfo[] = Object.entries(extra).map(([name, { dtype, data }]) => ({
    name,
    dtype,
    shape: [data.length],
    bytes: 0,
  }));
  const file = { container: 'safetensors' as const, naming: 'prompts', prefix: '', beside: 0, files: [path] };
  return { ...file, metadata, tensors };
}

export async function readFakeTensor(path: string, name: string) {
  const { extra } = (await readFake(path)) as { extra: Record<string, { dtype: string; data: number[] }> };
  const { dtype, data } = extra[name]!;
  return {
    dtype,
    shape: [data.length],
    data: dtype === 'F64' ? Float64Array.from(data) : Int32Array.from(data),
  };
}

/** Anomalous pixels of each patch by counting. */
export function fakeCells({ data, width, height }: NativePicture, grid: FeatureShape['grid']): Uint32Array {
  const cells = new Uint32Array(grid.width * grid.height);
  const channels = data.length / (width * height);
  for (let at = 0; at < width * height; at++) {
    if (data[at * channels]! === 0) continue;
    const x = Math.floor(((at % width) * grid.width) / width);
    const y = Math.floor((Math.floor(at / width) * grid.height) / height);
    const cell = y * grid.width + x;
    cells[cell] = cells[cell]! + 1;
  }
  return cells;
}

let written = 0;
async function writeFake(path: string, value: object, { beforeWrite }: TrainingBehaviour): Promise<void> {
  const temporary = `${path}.${process.pid}-${written++}.tmp`;
  beforeWrite?.(path);
  await writeFile(temporary, JSON.stringify(value));
  await rename(temporary, path);
}

async function readFake(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

function checksum(mean: number): string {
  return createHash('sha256').update(String(mean)).digest('hex');
}
