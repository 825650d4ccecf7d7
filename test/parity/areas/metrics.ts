/**
 * metrics/: figures of the reference's own functions, of scikit-learn in double, and exact AUPRO, against ours. Each case
 * runs twice, with pictures added one by one and from the fixture file itself through memory mapping; the two must be equal.
 */
import { isDeepStrictEqual } from 'node:util';
import type { NativeAddon } from '#crane/addon/native.js';
import { type ClassMetrics, createEvaluator, type Evaluator, type Metric } from '#crane/metrics/index.js';
import type { Area } from '../area.js';
import { compareNumbers } from '../compare/compare.js';
import type { SafetensorsFile } from '../fixture/safetensors.js';
import type { CaseReport } from '../report/case-report.js';

const tensorPath = 'metrics/cases.safetensors';
const expectedPath = 'metrics/expected.json';

interface ExpectedCase {
  note: string;
  images: number;
  regions: number;
  /** a number, "nan" or "raises X" */
  reference: Record<string, number | string>;
  float64: Record<string, number | string>;
  /** null: undefined */
  exact: Record<string, number | null>;
}

const inDouble = { stage: 'metrics', absolute: 1e-9, reason: 'double sums in another order' };
const inFloat = { stage: 'metrics, torchmetrics', absolute: 1e-6, reason: 'computed in float32, 1.3e-7 off' };

/** The limit of the reference's AUPRO. */
const referenceLimit = 0.3;

const figures: Record<string, { of: (metrics: ClassMetrics) => Metric; tolerance: typeof inDouble }> = {
  'image-auroc': { of: ({ image }) => image.auroc, tolerance: inDouble },
  'image-ap': { of: ({ image }) => image.ap, tolerance: inDouble },
  'image-f1': { of: ({ image }) => image.f1Max, tolerance: inDouble },
  'pixel-auroc': { of: ({ pixel }) => pixel.auroc, tolerance: inFloat },
  'pixel-ap': { of: ({ pixel }) => pixel.ap, tolerance: inFloat },
  'pixel-f1': { of: ({ pixel }) => pixel.f1Max, tolerance: inDouble },
  'pixel-aupro': { of: (metrics) => auproAt(metrics, referenceLimit).reference200, tolerance: inDouble },
  'pixel-auroc-float64': { of: ({ pixel }) => pixel.auroc, tolerance: inDouble },
  'pixel-ap-float64': { of: ({ pixel }) => pixel.ap, tolerance: inDouble },
};

/** Where the reference counts a class as 0 because a label is missing. */
const missingLabel = new Set(['one label only', 'no region', 'no normal pixel']);

export const metrics: Area = {
  name: 'metrics',
  async run({ folder, addon, report }) {
    if (!folder.has(tensorPath) || !folder.has(expectedPath)) return;
    const tensors = folder.tensors(tensorPath);
    const { cases } = folder.json<{ cases: Record<string, ExpectedCase> }>(expectedPath);
    const inFile = new Set(tensors.names().map((key) => key.split('.')[0]!));
    for (const name of inFile) if (!cases[name]) report.fault(`${tensorPath}: case "${name}" has no figures`);
    for (const [name, expected] of Object.entries(cases)) {
      await report.case(`metrics: ${name}`, { subtitle: expected.note }, async (caseReport) => {
        const limits = limitsOf(expected);
        const added = await evaluateAdded(tensors, name, limits, addon);
        compareCase(expected, added, caseReport);
        for (const key of tensors.names().filter((tensor) => tensor.startsWith(`${name}.`))) {
          if (!/\.(maps|masks|scores|labels)$/.test(key)) caseReport.fault(`unknown key "${key}"`);
        }
        if (tensors.offset(`${name}.maps`) % 4 !== 0) {
          caseReport.notCompared(
            'memory-mapped',
            'the maps of this file do not begin at a multiple of 4 bytes',
          );
          return;
        }
        const mapped = await evaluateMapped(tensors, name, limits, addon);
        const isEqual = isDeepStrictEqual(mapped, added);
        caseReport.holds('memory-mapped equals added one by one', 'metrics', 1, isEqual);
      });
    }
  },
};

function compareCase(expected: ExpectedCase, got: ClassMetrics, report: CaseReport): void {
  report.holds('images', 'metrics', 1, got.remarks.pictures === expected.images, `${got.remarks.pictures}`);
  report.holds('regions', 'metrics', 1, got.pixel.regions === expected.regions, `${got.pixel.regions}`);
  for (const [key, value] of Object.entries({ ...expected.reference, ...expected.float64 })) {
    if (key === 'aupro200-numpy-version') {
      report.notCompared(key, 'an older function of the reference, which its own evaluation does not call');
      continue;
    }
    const figure = figures[key];
    if (!figure) report.fault(`unknown figure "${key}"`);
    else compareReference(key, value, figure.of(got), figure.tolerance, report);
  }
  for (const [key, value] of Object.entries(expected.exact)) {
    const { exact } = auproAt(got, limitOf(key));
    if (value === null) report.holds(key, 'metrics', 1, exact.value === null, `${exact.value}`);
    else compareValue(key, value, exact.value, inDouble, report);
  }
}

function compareReference(
  key: string,
  expected: number | string,
  got: Metric,
  tolerance: typeof inDouble,
  report: CaseReport,
): void {
  if (typeof expected === 'string') {
    // The reference raises or gives NaN: we say why there is no figure.
    report.holds(key, tolerance.stage, 1, got.value === null && got.reason !== undefined, `${got.value}`);
    return;
  }
  const isZeroed = got.value === null && got.reason !== undefined && missingLabel.has(got.reason);
  compareValue(key, expected, isZeroed ? 0 : got.value, tolerance, report);
}

function compareValue(
  key: string,
  expected: number,
  got: number | null,
  tolerance: typeof inDouble,
  report: CaseReport,
): void {
  const comparison = compareNumbers(
    { shape: [1], data: [expected] },
    { shape: [1], data: [got ?? Number.NaN] },
    tolerance,
  );
  report.compared(key, tolerance.stage, comparison);
}

/** Of "aupro_exact_0.3". */
function limitOf(key: string): number {
  const limit = Number(/^aupro_exact_([\d.]+)$/.exec(key)?.[1]);
  if (Number.isNaN(limit)) throw new Error(`unknown figure "${key}"`);
  return limit;
}

function limitsOf({ exact }: ExpectedCase): number[] {
  return [...new Set([referenceLimit, ...Object.keys(exact).map(limitOf)])];
}

function auproAt({ pixel }: ClassMetrics, limit: number) {
  const found = pixel.aupro.find((at) => at.limit === limit);
  if (!found) throw new Error(`no AUPRO at ${limit}`);
  return found;
}

async function evaluateAdded(
  tensors: SafetensorsFile,
  name: string,
  limits: number[],
  addon: NativeAddon,
): Promise<ClassMetrics> {
  const maps = tensors.read(`${name}.maps`);
  const masks = tensors.read(`${name}.masks`);
  const scores = tensors.read(`${name}.scores`).data;
  const labels = tensors.read(`${name}.labels`).data;
  const [count, height, width] = maps.shape as [number, number, number];
  const pixels = height * width;
  return evaluateWith(limits, addon, name, async (evaluator) => {
    for (let i = 0; i < count; i++) {
      const part = [i * pixels, (i + 1) * pixels] as const;
      await evaluator.add({
        className: name,
        score: scores[i]!,
        label: labels[i]! !== 0,
        map: { data: (maps.data as Float32Array).subarray(...part), width, height },
        mask: { data: (masks.data as Uint8Array).subarray(...part), width, height },
      });
    }
  });
}

async function evaluateMapped(
  tensors: SafetensorsFile,
  name: string,
  limits: number[],
  addon: NativeAddon,
): Promise<ClassMetrics> {
  const [count, height, width] = tensors.shape(`${name}.maps`) as [number, number, number];
  return evaluateWith(limits, addon, name, (evaluator) =>
    evaluator.addMapped({
      className: name,
      maps: { path: tensors.path, offset: tensors.offset(`${name}.maps`) },
      masks: { path: tensors.path, offset: tensors.offset(`${name}.masks`) },
      count,
      height,
      width,
      scores: tensors.read(`${name}.scores`).data,
      labels: tensors.read(`${name}.labels`).data,
    }),
  );
}

async function evaluateWith(
  limits: number[],
  addon: NativeAddon,
  name: string,
  fill: (evaluator: Evaluator) => Promise<void>,
): Promise<ClassMetrics> {
  using evaluator = await createEvaluator({ limits }, addon);
  await fill(evaluator);
  return await evaluator.finishClass(name);
}
