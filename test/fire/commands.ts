/** The commands whose work must outlive a killed process, a call that fails and a full disk, on a model of toy size. */
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { craneNative } from '../cli/crane-native.js';
import { makeNoiseSet, makeTinyModel } from '../cli/tiny-model.js';
import { buildShim, bytesBelow, filesBelow, type Shim } from './faults.js';

export interface Surroundings {
  scratch: string;
  model: string;
  data: string;
  /** a bank of two pictures */
  bank: string;
  env: NodeJS.ProcessEnv;
}

export interface Command {
  name: string;
  /** what it writes is in `place`; given again, it goes on with what is there */
  args(around: Surroundings, place: string): string[];
  /** before the first run in a place */
  prepare?(around: Surroundings, place: string): Promise<void>;
  /** whose bytes do not depend on time */
  isCompared(name: string): boolean;
}

export async function makeSurroundings(scratch: string): Promise<Surroundings> {
  const model = await makeTinyModel(join(scratch, 'model'));
  const data = await makeNoiseSet(join(scratch, 'noise'), 6);
  const bank = join(scratch, 'bank.safetensors');
  const env = { CRANE_CACHE: join(scratch, 'cache') };
  const good = [0, 2].map((at) => join(data, 'part', 'test', 'good', `${at}.png`));
  const learned = await craneNative(
    ['normals', 'learn', ...good, '--model', model, '--out', bank, '--threads', '1'],
    {
      env,
    },
  );
  if (learned.code !== 0) throw new Error(learned.stderr);
  return { scratch, model, data, bank, env };
}

/** The shim and the surroundings of a file's tests, there from their first to their last. */
export function underFire(prefix: string): { shim: Shim; around: Surroundings } {
  const made = {} as { shim: Shim; around: Surroundings };
  beforeAll(async () => {
    made.shim = await buildShim();
    made.around = await makeSurroundings(await mkdtemp(join(tmpdir(), prefix)));
  }, 120_000);
  afterAll(async () => {
    await made.shim.remove();
    await rm(made.around.scratch, { recursive: true, force: true });
  });
  return made;
}

const ofModel = ({ model }: Surroundings) => ['--model', model, '--threads', '1'];
const isNoRecord = (name: string) => !/run\.json$|\.html$|\.lock$|\.tmp$|losses\.csv$/.test(name);

export const commands: readonly Command[] = [
  {
    name: 'train',
    args: (around, place) => [
      ...['train', around.data, '--out', join(place, 'out'), '--cache', join(place, 'features'), '--resume'],
      ...['--batch-size', '2', '--epochs', '3', '--save-every', '1', ...ofModel(around)],
    ],
    isCompared: (name) => /\.(pth|safetensors)$/.test(name),
  },
  {
    name: 'score --resume',
    args: (around, place) => [
      ...['score', around.data, '--recursive', '--out', join(place, 'out'), '--resume', '--no-timings'],
      ...['--heatmaps', '--maps', 'npy', '--map-size', 'model', ...ofModel(around)],
    ],
    isCompared: isNoRecord,
  },
  {
    name: 'test --resume',
    args: (around, place) => [
      ...['test', around.data, '--out', join(place, 'out'), '--resume', '--bootstrap', '0'],
      ...ofModel(around),
    ],
    isCompared: isNoRecord,
  },
  {
    name: 'normals learn',
    args: (around, place) => [
      ...['normals', 'learn', join(around.data, 'part', 'test', 'good')],
      ...['--out', join(place, 'bank.safetensors'), '--force', ...ofModel(around)],
    ],
    isCompared: isNoRecord,
  },
  {
    name: 'normals add',
    prepare: async (around, place) => copyFile(around.bank, join(place, 'bank.safetensors')),
    args: (around, place) => [
      ...['normals', 'add', around.bank, join(around.data, 'part', 'test', 'good', '4.png')],
      ...['--out', join(place, 'bank.safetensors'), '--force', ...ofModel(around)],
    ],
    isCompared: isNoRecord,
  },
];

/** A place that was not there: what lies in one would be gone on with. */
export async function makePlace(command: Command, around: Surroundings, name: string): Promise<string> {
  const place = join(around.scratch, name);
  await mkdir(place);
  await command.prepare?.(around, place);
  return place;
}

/** What must be the same in the end. */
export function resultsOf(command: Command, place: string): Promise<Record<string, string>> {
  return bytesBelow(place, command.isCompared);
}

/** The results of a place have the names and the bytes that are expected. */
export async function checkResults(
  command: Command,
  expected: Record<string, string>,
  place: string,
  what: string,
): Promise<void> {
  const got = await resultsOf(command, place);
  expect(Object.keys(got), `${command.name}, ${what}`).toEqual(Object.keys(expected));
  for (const [name, bytes] of Object.entries(got))
    expect(bytes === expected[name], `${command.name}, ${what}: ${name} has other bytes`).toBe(true);
}

/** A file has its name only once it is whole. @returns how many were read */
export async function checkWholeness(place: string): Promise<number> {
  const { addon } = await loadAddon();
  // What is added to line by line ends where it was interrupted; what goes on with it cuts it there.
  const names = (await filesBelow(place)).filter((name) => !/\.(tmp|partial)$|state\/.*\.jsonl$/.test(name));
  for (const name of names) {
    const path = join(place, name);
    if (name.endsWith('.json')) JSON.parse(await readFile(path, 'utf8'));
    if (name.endsWith('.html')) {
      if (!/<\/html>\n$/.test(await readFile(path, 'utf8'))) throw new Error(`${name} is cut off`);
    }
    if (name.endsWith('.jsonl')) {
      const text = await readFile(path, 'utf8');
      if (text !== '' && !text.endsWith('\n')) throw new Error(`${name} is cut off`);
      for (const line of text.split('\n')) if (line !== '') JSON.parse(line);
    }
    if (/\.(pth|safetensors)$/.test(name)) {
      const { tensors } = await addon.inspectWeights(path);
      for (const { name: tensor } of tensors) await addon.readTensor(path, tensor);
    }
  }
  return names.length;
}
