/** toy: the files that the folder ships hold the recipe's values, and synthWeights makes the same ones. */
import { basename } from 'node:path';
import type { Area, Workshop } from '../area.js';
import { compareBits, compareNumbers, failed } from '../compare/compare.js';
import { makeTensor, type RecipeGroup, type RecipeTensor } from '../fixture/recipe.js';
import { elementCount, SafetensorsFile } from '../fixture/safetensors.js';
import { promptIds } from '../models/settings.js';
import { normalise } from '../models/toy-images.js';
import type { SetName } from '../models/toy-models.js';
import type { CaseReport } from '../report/case-report.js';

const stage = 'weights by the recipe';

export const toyWeights: Area = {
  name: 'toy weights',
  async run(workshop) {
    const { folder, report, toys, addon } = workshop;
    if (!toys) return;
    for (const set of ['main', 'archive'] as const) {
      for (const [name, group] of Object.entries(toys.recipe[set])) {
        await report.case(`recipe.json: ${set} ${name}`, { subtitle: 'synthWeights' }, async (caseReport) => {
          const path = await toys.synthesise(set, name);
          checkValues(group, new SafetensorsFile(path), caseReport);
          for (const tensor of group.tensors) checkRow(tensor, makeTensor(group.salt, tensor), caseReport);
        });
      }
    }
    for (const path of folder.list(/^toy\/[^/]+\.safetensors$/)) {
      const name = basename(path, '.safetensors');
      if (name === 'inputs' || name === 'text_stages') continue;
      const group = toys.recipe.main[name];
      if (!group) continue; // stays unclaimed, which fails the run
      await report.case(path, { subtitle: 'against the recipe' }, (caseReport) => {
        checkValues(group, folder.tensors(path), caseReport);
      });
    }
    for (const [path, set, name] of torchFiles) {
      if (!folder.has(path)) continue;
      await report.case(path, { subtitle: 'read by the engine, against the recipe' }, async (caseReport) => {
        const buffers =
          name === 'prompt' ? promptBuffers(toys.group(set, 'clip'), toys.contextRows(set)) : new Map();
        await checkTorchFile(addon, folder.claim(path), toys.group(set, name), buffers, caseReport);
      });
    }
    await checkInputs(workshop);
  },
};

const torchFiles: [string, SetName, string][] = [
  ['toy/prompts_toy.pth', 'main', 'prompt'],
  ['toy/prompts_archive.pth', 'archive', 'prompt'],
  ['toy/clip_archive.pt', 'archive', 'clip'],
];

/** Names as in the group, or with the prefix that released SAM files carry. */
function checkValues(group: RecipeGroup, file: SafetensorsFile, report: CaseReport): void {
  const prefix = file.names().some((name) => name.startsWith('image_encoder.')) ? 'image_encoder.' : '';
  let values = 0;
  for (const tensor of group.tensors) {
    const made = makeTensor(group.salt, tensor);
    const { data } = file.read(prefix + tensor.name);
    const comparison = compareBits(made, data);
    if (!comparison.ok) report.compared(tensor.name, stage, comparison);
    values += made.length;
  }
  const extra = file.names().length - group.tensors.length;
  report.holds(
    `${group.tensors.length} tensors, value by value`,
    stage,
    values,
    extra === 0,
    extra === 0 ? '' : `${extra} tensors too many`,
  );
}

/** The recipe's own figures: sums are exact in double precision, because all values are multiples of a power of two. */
function checkRow(tensor: RecipeTensor, made: Float32Array, report: CaseReport): void {
  const total = made.reduce((sum, value) => sum + value, 0);
  const sumFits = tensor.exponent === null ? Math.abs(total - tensor.sum) < 1e-9 : total === tensor.sum;
  const startFits = tensor.firstThree.every((value, i) => value === made[i]);
  if (!sumFits || !startFits) report.fault(`${tensor.name}: sum ${total}, recipe.json says ${tensor.sum}`);
}

/** Tables may be stored with fewer rows than the recipe has (the archive's token table). */
async function checkTorchFile(
  addon: Workshop['addon'],
  path: string,
  group: RecipeGroup,
  buffers: Map<string, Float32Array>,
  report: CaseReport,
): Promise<void> {
  const info = await addon.inspectWeights(path);
  const stored = new Map(info.tensors.map((tensor) => [tensor.name, tensor]));
  let values = 0;
  for (const tensor of group.tensors) {
    const found = storedName(stored.keys(), tensor.name);
    if (found === undefined) {
      report.compared(tensor.name, stage, failed(0, 'not in the file'));
      continue;
    }
    const { shape, data } = await addon.readTensor(path, found);
    const made = makeTensor(group.salt, tensor);
    const count = elementCount(shape);
    const numbers = Array.from(data as ArrayLike<number | bigint>, Number);
    const comparison = compareBits(made.subarray(0, count), numbers);
    if (!comparison.ok) report.compared(tensor.name, stage, comparison);
    values += count;
    if (count !== made.length) {
      const rows = shape.length < 2 ? count : shape[0]!;
      report.notCompared(`${tensor.name} from row ${rows}`, `the file holds the first ${rows} rows only`);
    }
    stored.delete(found);
  }
  report.holds(`${group.tensors.length} tensors, value by value`, stage, values, true, info.container);
  for (const name of stored.keys()) {
    const expected = buffers.get(name.split('.').at(-1)!);
    if (expected === undefined) {
      report.notCompared(name, 'not part of the recipe');
      continue;
    }
    const { data } = await addon.readTensor(path, name);
    report.compared(
      name,
      stage,
      compareBits(expected, Array.from(data as ArrayLike<number | bigint>, Number)),
    );
  }
}

/** What a checkpoint stores beside the learned vectors: the ids, and the embedded rows before and after the context. */
function promptBuffers(clip: RecipeGroup, contextRows: number): Map<string, Float32Array> {
  const table = clip.tensors.find(({ name }) => name === 'token_embedding.weight');
  if (!table) return new Map();
  const width = table.shape[1]!;
  const rows = makeTensor(clip.salt, table);
  const embed = (ids: Int32Array) =>
    Float32Array.from(
      { length: ids.length * width },
      (_, i) => rows[ids[Math.floor(i / width)]! * width + (i % width)]!,
    );
  const { normalIds, anomalousIds } = promptIds(contextRows);
  return new Map(
    [['pos', normalIds] as const, ['neg', anomalousIds] as const].flatMap(([kind, ids]) => [
      [`tokenized_prompts_${kind}`, Float32Array.from(ids)],
      [`token_prefix_${kind}`, embed(ids.subarray(0, 1))],
      [`token_suffix_${kind}`, embed(ids.subarray(1 + contextRows))],
    ]),
  );
}

/** Containers may nest their tensors ("prompt_learner.ctx_pos"). */
function storedName(names: Iterable<string>, wanted: string): string | undefined {
  for (const name of names)
    if (name === wanted || (name.endsWith(`.${wanted}`) && !wanted.startsWith('transformer'))) return name;
  return undefined;
}

/** inputs.safetensors: the stored normalised picture equals ours; the rest is input. */
async function checkInputs({ folder, report }: Workshop): Promise<void> {
  const path = 'toy/inputs.safetensors';
  if (!folder.has(path)) return;
  await report.case(path, {}, (caseReport) => {
    const inputs = folder.tensors(path);
    for (const key of inputs.names()) {
      const sample = /^images_(\d+)_image(\d+)$/.exec(key);
      if (sample) {
        const expected = inputs.read(key);
        const source = inputs.read(`images_u8_${sample[1]}`);
        const [, height, width] = source.shape as [number, number, number];
        const pixels = height * width * 3;
        const at = Number(sample[2]) * pixels;
        const got = {
          shape: expected.shape,
          data: normalise(source.data.subarray(at, at + pixels), width, height),
        };
        caseReport.compared(
          key,
          'normalised picture',
          compareNumbers(expected, got, { stage: '', absolute: 0, reason: '' }),
        );
      } else if (/^(archive_image|images)_u8_\d+$/.test(key)) {
        caseReport.notCompared(key, 'input of the cases');
      } else if (/^masks_u8_\d+$/.test(key)) {
        caseReport.notCompared(key, 'input of training');
      } else {
        caseReport.fault(`unknown key "${key}"`);
      }
    }
    if (caseReport.lines.length === 0)
      caseReport.holds('no normalised picture stored', 'normalised picture', 0, true);
  });
}
