/** toy/train_*: the reference's training loop, step by step: losses, gradients, parameters, and step 1 from the inside. */
import { join } from 'node:path';
import type { CraneOptions, NativeAddon, NativeEngine, TraceResult } from '#crane/addon/native.js';
import type { TrainOptions } from '#crane/addon/training.js';
import type { Area } from '../area.js';
import { compareNumbers } from '../compare/compare.js';
import { toleranceOf } from '../compare/tolerances.js';
import { type TrainingTolerance, trainingTolerance } from '../compare/training-tolerances.js';
import type { FixtureFolder } from '../fixture/folder.js';
import type { SafetensorsFile } from '../fixture/safetensors.js';
import { type CaseSettings, methodOf } from '../models/settings.js';
import { readBatch } from '../models/toy-images.js';
import type { ToyModels } from '../models/toy-models.js';
import type { CaseReport } from '../report/case-report.js';

/** What the loop was run with (README of the fixtures, "toy/"). */
const loop: Omit<TrainOptions, 'halfDeepTokens' | 'sharedPrefix'> = {
  focalWeight: 2,
  diceWeight: 2,
  imageLossWeight: 0.2,
  pixelTemperature: 0.07,
  imageTemperature: 0.01,
  learningRate: 1e-3,
  beta1: 0.6,
  beta2: 0.999,
  eps: 1e-8,
  guidance: 'pad-suffix',
};

const forms = { 'exact.safetensors': false, 'with_half.safetensors': true } as const;

export const training: Area = {
  name: 'toy/train',
  async run({ folder, addon, report, toys }) {
    if (!toys) return;
    for (const name of ['train_crane', 'train_cranep']) {
      const givens = `toy/${name}/with_half.safetensors`;
      if (!folder.has(givens)) continue;
      const { engine, method, side } = await engineOf(folder, toys, name === 'train_cranep');
      for (const [file, halfDeepTokens] of Object.entries(forms)) {
        const path = `toy/${name}/${file}`;
        if (!folder.has(path)) continue;
        // With rounding only the rows run per picture round as the reference does: every picture's gradient by itself.
        for (const sharedPrefix of halfDeepTokens ? [false] : [false, true]) {
          const subtitle = sharedPrefix ? 'shared prefix' : '';
          await report.case(path, { subtitle, brief: sharedPrefix }, async (caseReport) => {
            const set = { folder, toys, engine, method, side, halfDeepTokens, sharedPrefix };
            const learned = await runLoop(set, folder.tensors(path), folder.tensors(givens), caseReport);
            if (halfDeepTokens) await compareCheckpoint(addon, folder, `toy/${name}`, learned, caseReport);
          });
        }
      }
    }
  },
};

/** Settings stand in cases.json: those of its first case of the kind. */
async function engineOf(folder: FixtureFolder, toys: ToyModels, isPlus: boolean) {
  const cases = Object.entries(folder.json('toy/cases.json') as Record<string, CaseSettings>);
  const [, settings] = cases.find(
    ([name, { vfm, features_list, attn_type, both_eattn_dattn }]) =>
      attn_type === 'qq+kk+vv' &&
      (isPlus ? vfm === 'dinov2' && features_list.length === 1 && both_eattn_dattn : name === 'crane'),
  )!;
  const vfm = isPlus ? 'dinov2' : 'none';
  const side = settings.image_size;
  const files = await toys.files('main', toys.forms('main')[0]!, vfm);
  const engine = await toys.engine(files, vfm, side);
  // The loop's D-Attn took its mean over the batch.
  const method = methodOf({ ...settings, context_guidance: 'off' }, { batchMean: isPlus });
  return { engine, method, side };
}

interface LoopSet {
  folder: FixtureFolder;
  toys: ToyModels;
  engine: NativeEngine;
  method: CraneOptions;
  side: number;
  halfDeepTokens: boolean;
  sharedPrefix: boolean;
}

async function runLoop(set: LoopSet, fixture: SafetensorsFile, givens: SafetensorsFile, report: CaseReport) {
  const { folder, toys, engine, side, halfDeepTokens, sharedPrefix } = set;
  const method = { ...set.method, compat: { ...set.method.compat, halfDeepTokens } };
  const inputs = folder.tensors('toy/inputs.safetensors');
  const masks = inputs.read(`masks_u8_${side}`).data;
  const labels = givens.read('labels').data;
  const order = givens.read('order');
  const losses = fixture.read('losses');
  const [steps, size] = order.shape as [number, number];
  const files = await toys.files('main', toys.forms('main')[0]!, 'none');
  const training = await engine.beginTraining(toys.material('main', files.prompts), method, {
    ...loop,
    halfDeepTokens,
    sharedPrefix,
  });

  const seen = new Set(['losses', 'labels', 'order']);
  for (const key of ['labels', 'order']) if (fixture.has(key)) report.notCompared(key, 'input of the loop');
  const compare = (key: string, stage: string, trace: TraceResult, name: string) => {
    seen.add(key);
    const tolerance: TrainingTolerance | undefined =
      trainingTolerance(key, halfDeepTokens) ?? toleranceOf(stage, { size: 'toy', flips: false });
    if (!tolerance)
      return report.notCompared(key, 'the fixtures give no tolerance; the parameters after it are compared');
    const expected = fixture.read(key);
    const scale = tolerance.relative ? largest(expected.data) : 1;
    const traced = trace[name];
    // Learned tensors keep their rows only: [1, 1, n, w] of the checkpoint is [n, w] here.
    const isRows = traced?.data.length === expected.data.length && /\.ctx_(pos|neg)$/.test(key);
    const got = traced && { shape: isRows ? expected.shape : traced.shape, data: traced.data };
    const scaled = { ...tolerance, absolute: tolerance.absolute * scale };
    report.compared(key, tolerance.stage, compareNumbers(expected, got ?? { shape: [], data: [] }, scaled));
  };

  const initial = await training.state();
  for (const key of fixture.names().filter((key) => key.startsWith('initial.')))
    compare(key, key, initial, `param.${key.slice('initial.'.length)}`);

  const got: number[] = [];
  for (let step = 0; step < steps; step++) {
    const indices = Array.from(order.data.slice(step * size, (step + 1) * size), Number);
    const { input, shape } = readBatch(inputs, indices, side);
    const pixels = side * side;
    const batch = {
      input,
      masks: Uint8Array.from(
        indices.flatMap((i) => Array.from(masks.slice(i * pixels, (i + 1) * pixels), Number)),
      ),
      labels: Int32Array.from(indices.map((i) => Number(labels[i]))),
    };
    const { focal, dice, image, total, stages } = await training.stepOnPictures(batch, shape, step === 0);
    got.push(focal, dice, image, total);
    const state = await training.state();
    const prefix = `step${String(step + 1).padStart(2, '0')}.`;
    for (const key of fixture.names().filter((key) => key.startsWith(prefix))) {
      const stage = key.slice(prefix.length);
      compare(key, stage, /^(param|grad)\./.test(stage) ? state : stages, stage);
    }
  }
  const tolerance = trainingTolerance('losses', halfDeepTokens)!;
  report.compared(
    'losses',
    tolerance.stage,
    compareNumbers(losses, { shape: losses.shape, data: got }, tolerance),
  );
  for (const key of fixture.names()) if (!seen.has(key)) report.fault(`unknown key "${key}"`);
  const learned = await training.state();
  await training.end();
  return learned;
}

/** The checkpoint that the loop wrote after its last step. */
async function compareCheckpoint(
  addon: NativeAddon,
  folder: FixtureFolder,
  where: string,
  learned: TraceResult,
  report: CaseReport,
): Promise<void> {
  for (const file of folder
    .list(/^toy\/train_\w+\/[^/]+\.pth$/)
    .filter((file) => file.startsWith(`${where}/`))) {
    folder.claim(file);
    const path = join(folder.root, file);
    for (const { name } of (await addon.inspectWeights(path)).tensors) {
      const got = learned[name.replace('prompt_learner', 'param')];
      if (!got) {
        report.notCompared(`${file}: ${name}`, 'a buffer, not learned');
        continue;
      }
      const { shape, data } = await addon.readTensor(path, name);
      const tolerance = trainingTolerance('step12.param.checkpoint', true)!;
      const values = { shape, data: Array.from(data as Float32Array) };
      report.compared(
        `${file}: ${name}`,
        tolerance.stage,
        compareNumbers(values, { shape, data: got.data }, tolerance),
      );
    }
  }
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}
