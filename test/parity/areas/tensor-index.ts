/** prompts/ and clip_loader.pt: every tensor of every file against an index of shapes, types, sums and first values. */
import type { NativeAddon } from '#crane/addon/native.js';
import type { Area } from '../area.js';
import { elementCount } from '../fixture/safetensors.js';
import type { CaseReport } from '../report/case-report.js';

interface IndexEntry {
  shape: number[];
  dtype: string;
  sum_float64: number;
  first3: number[];
}

type TensorIndex = Record<string, IndexEntry>;

const stage = 'tensors read from containers';

export const promptFiles: Area = {
  name: 'prompts',
  async run({ folder, report, addon }) {
    if (!folder.has('prompts/index.json')) return;
    const index = folder.json<Record<string, TensorIndex>>('prompts/index.json');
    for (const path of folder.list(/^prompts\/.*\.pth$/)) {
      const file = path.slice('prompts/'.length);
      const entries = index[file];
      if (!entries) continue; // stays unclaimed, which fails the run
      await report.case(path, {}, (caseReport) => checkFile(addon, folder.claim(path), entries, caseReport));
    }
    for (const file of Object.keys(index)) {
      if (!folder.has(`prompts/${file}`))
        report.line(`prompts/${file}: in index.json, but this folder holds no such file`);
    }
  },
};

export const clipLoader: Area = {
  name: 'clip_loader.pt',
  async run({ folder, report, addon }) {
    for (const path of folder.list(/(^|\/)clip_loader\.pt$/)) {
      const raw = folder.json<Record<string, unknown>>(path.replace(/\.pt$/, '_index.json'));
      await report.case(path, {}, (caseReport) =>
        checkFile(addon, folder.claim(path), loaderIndex(raw), caseReport),
      );
    }
  },
};

/** Entries { shape, dtype, sum..., first... }, at the top of the index or below one key. */
function loaderIndex(raw: Record<string, unknown>): TensorIndex {
  const isEntry = (value: unknown) => typeof value === 'object' && value !== null && 'shape' in value;
  const isTop = Object.values(raw).some(isEntry);
  const tensors = isTop
    ? raw
    : (Object.values(raw).find((value) => Object.values(value ?? {}).some(isEntry)) ?? {});
  const index: TensorIndex = {};
  for (const [name, entry] of Object.entries(tensors as Record<string, Record<string, unknown>>)) {
    const field = (start: string) => Object.entries(entry).find(([key]) => key.startsWith(start))?.[1];
    const [shape, dtype, sum, first] = [field('shape'), field('dtype'), field('sum'), field('first')];
    if (
      !Array.isArray(shape) ||
      typeof dtype !== 'string' ||
      typeof sum !== 'number' ||
      !Array.isArray(first)
    ) {
      throw new Error(`clip_loader_index.json: "${name}" has no shape, dtype, sum or first values`);
    }
    index[name] = { shape: shape as number[], dtype, sum_float64: sum, first3: first as number[] };
  }
  return index;
}

async function checkFile(
  addon: NativeAddon,
  path: string,
  index: TensorIndex,
  report: CaseReport,
): Promise<void> {
  const { tensors, container } = await addon.inspectWeights(path);
  report.note(`${container}, ${tensors.length} tensors`);
  const stored = new Set(tensors.map(({ name }) => name));
  for (const [name, entry] of Object.entries(index)) {
    const found = [name, `prompt_learner.${name}`].find((candidate) => stored.delete(candidate));
    if (found === undefined) {
      report.holds(name, stage, 0, false, 'not in the file');
      continue;
    }
    const fault = await checkTensor(addon, path, found, entry);
    report.holds(name, stage, elementCount(entry.shape), fault === undefined, fault ?? '');
  }
  for (const name of stored) report.fault(`tensor "${name}" is not in the index`);
}

async function checkTensor(
  addon: NativeAddon,
  path: string,
  name: string,
  entry: IndexEntry,
): Promise<string | undefined> {
  const { dtype, shape, data } = await addon.readTensor(path, name);
  if (shape.join() !== entry.shape.join()) return `shape [${shape}], expected [${entry.shape}]`;
  if (shortType(dtype) !== shortType(entry.dtype)) return `type ${dtype}, expected ${entry.dtype}`;
  let sum = 0;
  let magnitude = 0;
  for (const value of data) {
    sum += Number(value);
    magnitude += Math.abs(Number(value));
  }
  // The index was summed in another order; double precision loses at most this.
  if (!(Math.abs(sum - entry.sum_float64) <= 1e-12 * magnitude))
    return `sum ${sum}, expected ${entry.sum_float64}`;
  const wrong = entry.first3.findIndex((value, i) => Number(data[i]) !== value);
  return wrong < 0 ? undefined : `value ${wrong} is ${data[wrong]}, expected ${entry.first3[wrong]}`;
}

/** 'torch.float32', 'float32', 'F32' and 'f32' are one type. */
function shortType(dtype: string): string {
  return dtype
    .toLowerCase()
    .replace(/^torch\./, '')
    .replace('float', 'f')
    .replace('uint', 'u')
    .replace('int', 'i');
}
