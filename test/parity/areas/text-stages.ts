/** toy/text_stages.safetensors: the text tower stage by stage, unguided ("static") and with each guidance placement. */
import type { CraneOptions, Guidance, NativeEngine, TraceResult } from '#crane/addon/native.js';
import type { Area } from '../area.js';
import { compareNumbers } from '../compare/compare.js';
import { compareFixture } from '../compare/fixture-case.js';
import { toleranceOf } from '../compare/tolerances.js';
import type { SafetensorsFile } from '../fixture/safetensors.js';
import { methodOf, placements, promptIds } from '../models/settings.js';
import { readBatch } from '../models/toy-images.js';
import type { ToyModels } from '../models/toy-models.js';
import type { RunReport } from '../report/run-report.js';

const path = 'toy/text_stages.safetensors';
const context = { size: 'toy', flips: false } as const;

export const textStages: Area = {
  name: path,
  async run({ folder, report, toys }) {
    if (!toys || !folder.has(path)) return;
    const fixture = folder.tensors(path);
    for (const form of toys.forms('main')) {
      const files = await toys.files('main', form, 'none');
      const side = smallestSide(folder.tensors('toy/inputs.safetensors'));
      const engine = await toys.engine(files, 'none', side);
      const material = toys.material('main', files.prompts);
      const features = Float32Array.from(fixture.read('image_cls_norm').data);
      const pictures = fixture.shape('image_cls_norm')[0]!;
      const subtitle = toys.label('main', form);
      const brief = form !== toys.forms('main')[0];
      for (const group of groupsOf(fixture, report)) {
        await report.case(`${path}: ${group}`, { subtitle, brief }, async (caseReport) => {
          const guidance = placementOf(group);
          const isGuided = guidance !== undefined && guidance !== 'none';
          const trace = await engine.traceContext(
            material,
            { ...plainMethod(engine), guidanceAtTest: guidance ?? 'none' },
            isGuided ? features : undefined,
          );
          compareFixture(only(fixture, group), named(trace, group, pictures, toys), caseReport, {
            context,
            skip,
          });
        });
      }
      await checkImageFeatures(fixture, folder.tensors('toy/inputs.safetensors'), toys, report, {
        subtitle,
        brief,
        side,
        form,
      });
    }
  },
};

/** A plain method of the last block. */
function plainMethod(engine: NativeEngine): CraneOptions {
  return methodOf({
    vfm: 'none',
    features_list: [engine.facts.vision.layers],
    soft_mean: true,
    attn_type: 'qq+kk+vv',
    both_eattn_dattn: true,
    use_scorebase_pooling: true,
    image_size: 0,
    context_guidance: 'off',
    images: [],
  });
}

function groupsOf(fixture: SafetensorsFile, report: RunReport): string[] {
  const groups = new Set<string>();
  for (const key of fixture.names()) {
    const group = key.split('.')[0]!;
    if (key === 'image_cls_norm') continue;
    if (group === 'static' || placementOf(group)) groups.add(group);
    else report.fault(`${path}: unknown key "${key}"`);
  }
  return [...groups];
}

function placementOf(group: string): Guidance | undefined {
  return placements.find((placement) => placement.replace('-', '_') === group);
}

/** The fixture's view of one group. */
function only(fixture: SafetensorsFile, group: string): SafetensorsFile {
  const names = fixture.names().filter((key) => key.startsWith(`${group}.`));
  return new Proxy(fixture, {
    get: (target, property) => {
      if (property === 'names') return () => names;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * The trace under the fixture's names and shapes. The engine traces [2, B, ...] and features [B, 2, d]; the unguided
 * pair has B = 1, which "static" leaves out and "none" repeats for each picture. The ids are what the engine was given.
 */
function named(trace: TraceResult, group: string, pictures: number, toys: ToyModels): TraceResult {
  const all: TraceResult = {};
  for (const [key, stage] of Object.entries(trace)) {
    const axis = key.startsWith('features') ? 0 : 1;
    const reshaped = group === 'static' ? withoutAxis(stage, axis) : stage;
    all[`${group}.${key}`] = group === 'none' ? repeated(stage, axis, pictures) : reshaped;
  }
  if (group === 'static' || group === 'none') {
    const { normalIds, anomalousIds } = promptIds(toys.contextRows('main'));
    const data = Float32Array.from([...normalIds, ...anomalousIds]);
    all[`${group}.tokens`] = { shape: [2, normalIds.length], data };
  }
  return all;
}

type Stage = TraceResult[string];

function withoutAxis({ shape, data }: Stage, axis: number): Stage {
  return shape[axis] === 1 ? { shape: shape.toSpliced(axis, 1), data } : { shape, data };
}

function repeated({ shape, data }: Stage, axis: number, times: number): Stage {
  if (shape[axis] !== 1) return { shape, data };
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const all = new Float32Array(data.length * times);
  for (let outer = 0; outer < data.length / inner; outer++) {
    const block = data.subarray(outer * inner, (outer + 1) * inner);
    for (let copy = 0; copy < times; copy++) all.set(block, (outer * times + copy) * inner);
  }
  return { shape: shape.with(axis, times), data: all };
}

function skip(key: string): string | undefined {
  const shifted = /^(pad|replace)_\w+\.tokens_first\d+$/.test(key);
  return shifted
    ? 'the reference moves its copy of the ids only to find the end of the text, which eot_index compares'
    : undefined;
}

interface FeatureCheck {
  subtitle: string;
  brief: boolean;
  side: number;
  form: ReturnType<ToyModels['forms']>[number];
}

/** image_cls_norm, the input of the guidance, is what the vision tower gives for the first images. */
async function checkImageFeatures(
  fixture: SafetensorsFile,
  inputs: SafetensorsFile,
  toys: ToyModels,
  report: RunReport,
  { subtitle, brief, side, form }: FeatureCheck,
): Promise<void> {
  await report.case(`${path}: image_cls_norm`, { subtitle, brief }, async (caseReport) => {
    const files = await toys.files('main', form, 'none');
    const engine = await toys.engine(files, 'none', side);
    const method = plainMethod(engine);
    const prompts = await engine.addContext(toys.material('main', files.prompts), method);
    const expected = fixture.read('image_cls_norm');
    const names = Array.from({ length: expected.shape[0]! }, (_, i) => i);
    const batch = readBatch(inputs, names, side);
    const trace = await engine.trace(batch.input, batch.shape, prompts, method);
    const tolerance = toleranceOf('image_cls_norm', context)!;
    const got = trace['cls_norm'];
    if (!got) caseReport.fault('the trace holds no cls_norm');
    else caseReport.compared('image_cls_norm', tolerance.stage, compareNumbers(expected, got, tolerance));
  });
}

/** Side of the main set's pictures: the smallest key images_u8_<px> with more than one picture, else the smallest. */
function smallestSide(inputs: SafetensorsFile): number {
  const sides = inputs
    .names()
    .map((key) => /^images_u8_(\d+)$/.exec(key))
    .filter((match) => match !== null)
    .map((match) => ({ side: Number(match[1]), count: inputs.shape(match[0])[0]! }));
  if (sides.length === 0) throw new Error('inputs.safetensors: no key images_u8_<px>');
  return sides.sort((a, b) => b.count - a.count || a.side - b.side)[0]!.side;
}
