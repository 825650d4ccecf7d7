/** AnoVL: sentences, both streams, the views' class tokens, and the adapter's steps from given draws. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MethodOptions, TraceResult } from '#crane/addon/native.js';
import { defaultMethod } from '#crane/methods/registry.js';
import type { Subject } from '../fixture/subject.js';
import type { System } from '../system.js';

type Traced = TraceResult[string];

export const anovl: System = {
  name: 'anovl',
  async compare(subject) {
    const plain: MethodOptions = { ...defaultMethod('anovl'), adapter: 'none' };
    await compareSentences(subject, plain);
    const trace = await traced(subject, plain);
    compareStreams(subject, trace);
    compareViews(subject, trace);
    subject.compare('noadapter.prob_grid', trace['probabilities']!.data);
    subject.compare('noadapter.map', trace['map']!.data);
    for (const adapter of ['text', 'linear']) await compareAdapter(subject, adapter);
  },
};

async function traced(
  subject: Subject,
  method: MethodOptions,
  files: Record<string, string> = {},
  which?: readonly number[],
): Promise<TraceResult> {
  const engine = await subject.engine('anovl');
  const context = await engine.addContext({ ...(await subject.material(method)), files }, method);
  const { input, shape } = subject.batch('image_u8', which);
  return engine.trace(input, shape, context, method);
}

async function compareSentences(subject: Subject, method: MethodOptions): Promise<void> {
  const engine = await subject.engine('anovl');
  const text = await engine.traceContext(await subject.material(method), method, undefined);
  const pair = [at(text['text_features']!, 0), at(text['text_features']!, 1)];
  subject.compare('text.features', interleaved(pair));
  const groups = [text['sentences.normal']!, text['sentences.anomalous']!];
  subject.compare('text.count', [groups[0]!.shape[0]!]);
  for (const key of subject.keys(/^text\.list_first\d+$/)) {
    const rows = Array.from({ length: subject.expected(key).shape[0]! }, (_, row) => row);
    const sentences = rows.flatMap((row) => interleaved(groups.map((group) => unit(at(group, row)))));
    subject.compare(key, sentences);
  }
}

/** The code lists both streams after each of its `features`, evenly apart or the first ones: x, o, x, o, ... */
function compareStreams(subject: Subject, trace: TraceResult): void {
  subject.compare('vis.all_tokens_projected', trace['tokens']);
  subject.compare('vis.patch_tokens_index6', trace['patches']);
  const [length] = subject.expected('vis.token_list_length').data as ArrayLike<number> as [number];
  const blocks = subject.of.backbone.sizes.visionBlocks;
  let listed = 0;
  const key = /^vis\.token_list(\d+)\.img(\d+)$/;
  for (const name of subject.keys(key)) {
    const [, entry, picture] = key.exec(name)!.map(Number) as [number, number, number];
    const feature = Math.floor(entry / 2) + 1;
    const apart = (2 * blocks) / length;
    const block = Number.isInteger(apart) ? apart * feature : feature;
    const stage = entry % 2 === 0 ? 'gathered' : `plain.block${String(block).padStart(2, '0')}`;
    const stream = trace[stage];
    if (stream) listed = Math.max(listed, entry + 1);
    subject.compare(name, stream && at(stream, picture));
  }
  subject.compare('vis.token_list_length', [listed]);
}

function compareViews(subject: Subject, trace: TraceResult): void {
  const views = trace['view_probabilities']!;
  subject.compare('aug.count', [views.shape[1]!]);
  const key = /^aug\.cls_abnormal_prob_sorted\.img(\d+)$/;
  for (const name of subject.keys(key))
    subject.compare(name, Float32Array.from(at(views, Number(key.exec(name)![1]))).sort());
  subject.compare('test.image_score', trace['score']);
  const alone = Array.from({ length: subject.pictures }, (_, picture) => at(views, picture)[0]!);
  subject.compare('test.image_score_without_augmentation', alone);
}

/** All pictures in their order, so that the optimiser goes on from one to the next. */
async function compareAdapter(subject: Subject, adapter: string): Promise<void> {
  const key = (picture: number, what: string) => `adapt_${adapter}.img${picture}.${what}`;
  const pictures: number[] = [];
  while (subject.has(key(pictures.length, 'noise'))) pictures.push(pictures.length);
  if (pictures.length === 0) return;
  const [steps] = subject.expected(key(0, 'noise')).shape as [number];
  const method: MethodOptions = {
    ...defaultMethod('anovl'),
    adapter,
    adapterSteps: steps,
    compat: { ...(defaultMethod('anovl')['compat'] as object), carriedState: true, noise: true },
  };
  const scratch = await mkdtemp(join(tmpdir(), 'crane-draws-'));
  try {
    const draws = join(scratch, 'draws.safetensors');
    await writeFile(draws, drawsOf(subject, key, pictures));
    const trace = await traced(subject, method, { draws }, pictures);
    for (const picture of pictures) {
      for (const given of ['init_weight', 'init_bias', 'noise'])
        subject.notCompared(key(picture, given), 'drawn by the code; given to the engine');
      const losses = trace['adapter.losses']!.data.subarray(picture * steps, (picture + 1) * steps);
      subject.compare(key(picture, 'losses'), losses);
      subject.compare(key(picture, 'bias_after5'), at(trace['adapter.bias']!, picture));
      compareGradients(subject, trace, key(picture, 'grad_'), picture);
      subject.compare(key(picture, 'prob_grid'), at(trace['probabilities']!, picture));
      subject.compare(key(picture, 'map'), at(trace['map']!, picture));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Of the first step: "grad_bias_step1", and some rows of the weight, "grad_weight_step1_rows0_8". */
function compareGradients(subject: Subject, trace: TraceResult, prefix: string, picture: number): void {
  const weight = trace['adapter.weight_gradient_1']!;
  const width = weight.shape[2]!;
  for (const name of subject.keys().filter((each) => each.startsWith(prefix))) {
    const rows = /weight_step1_rows(\d+)_(\d+)$/.exec(name);
    if (rows) {
      const [from, to] = [Number(rows[1]) * width, Number(rows[2]) * width];
      subject.compare(name, at(weight, picture).subarray(from, to));
    } else if (name.endsWith('bias_step1')) {
      subject.compare(name, at(trace['adapter.bias_gradient_1']!, picture));
    }
  }
}

/** The file that the method takes its draws from: weight, bias and noise, each with an entry for every picture. */
function drawsOf(
  subject: Subject,
  key: (picture: number, what: string) => string,
  pictures: readonly number[],
): Buffer {
  const header: Record<string, { dtype: 'F32'; shape: number[]; data_offsets: [number, number] }> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (name: string, what: string, shapeOf: (shape: number[]) => number[]) => {
    const tensors = pictures.map((picture) => subject.expected(key(picture, what)));
    const values = Float32Array.from(tensors.flatMap(({ data }) => Array.from(data)));
    const part = Buffer.from(values.buffer);
    const shape = [pictures.length, ...shapeOf(tensors[0]!.shape)];
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + part.length] };
    offset += part.length;
    parts.push(part);
  };
  add('weight', 'init_weight', (shape) => shape);
  add('bias', 'init_bias', (shape) => shape);
  // [steps, 1, height, width, D] -> [steps, cells, D]
  add('noise', 'noise', ([steps, , height, width, features]) => [steps!, height! * width!, features!]);
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

/** Values of one entry of the first axis. */
function at({ data, shape }: Traced, entry: number): Float32Array {
  const size = data.length / shape[0]!;
  return data.subarray(entry * size, (entry + 1) * size);
}

/** [D] each -> [D, k]. */
function interleaved(rows: readonly Float32Array[]): number[] {
  return Array.from(rows[0]!, (_, column) => rows.map((row) => row[column]!)).flat();
}

function unit(row: Float32Array): Float32Array {
  const length = Math.hypot(...row);
  return row.map((value) => value / length);
}
