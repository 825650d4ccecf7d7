/** full/: ViT-L/14@336 and DINOv2 ViT-B/14 at full size, with weights made by recipe (fixtures.md 2) into a cache folder. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NativeAddon, ScoreResult, SynthTensor } from '#crane/addon/native.js';
import type { Area, Workshop } from '../area.js';
import { compareNumbers } from '../compare/compare.js';
import { fromTrace } from '../compare/derive.js';
import { compareFixture } from '../compare/fixture-case.js';
import { type Context, toleranceOf } from '../compare/tolerances.js';
import { type RecipeGroup, readGroup, synthTensors } from '../fixture/recipe.js';
import { SafetensorsFile } from '../fixture/safetensors.js';
import { decodeFile } from '../models/decode.js';
import {
  type CaseSettings,
  clipText,
  clipTower,
  methodOf,
  promptMaterial,
  sourceTower,
} from '../models/settings.js';
import { normalise } from '../models/toy-images.js';
import type { CaseReport } from '../report/case-report.js';

type Groups = Record<'clip' | 'dinov2' | 'prompt', RecipeGroup>;

/** What the fixtures were made with (fixtures.md 2). */
const cases: Record<string, Pick<CaseSettings, 'vfm' | 'features_list' | 'soft_mean'>> = {
  crane: { vfm: 'none', features_list: [6, 12, 18, 24], soft_mean: true },
  cranep: { vfm: 'dinov2', features_list: [24], soft_mean: false },
};

export const full: Area = {
  name: 'full',
  async run(workshop) {
    const { folder, report, addon } = workshop;
    if (!folder.has('full/index.json')) return;
    const raw = folder.json<Record<string, { salt: string; tensors: unknown[] }>>('full/index.json');
    const groups = Object.fromEntries(
      Object.entries(raw).map(([name, group]) => [name, readGroup(group)]),
    ) as Groups;
    const hash = createHash('sha256')
      .update(readFileSync(folder.claim('full/index.json')))
      .digest('hex')
      .slice(0, 16);
    const cache = join(process.env['CRANE_CACHE'] ?? tmpdir(), `crane-parity-full-${hash}`);
    const files: Record<string, string> = {};
    for (const [name, group] of Object.entries(groups)) {
      await report.case(
        `full/index.json: ${name}`,
        { subtitle: `synthWeights into ${cache}` },
        async (caseReport) => {
          files[name] = await synthesiseOnce(addon, cache, name, group);
          checkSums(group, new SafetensorsFile(files[name]), caseReport);
        },
      );
    }
    const image = folder.list(/^full\/image_\d+\.png$/)[0];
    if (!image) return;
    for (const [name, settings] of Object.entries(cases)) {
      const path = `full/${name}.safetensors`;
      if (!folder.has(path)) continue;
      await report.case(
        path,
        { subtitle: settings.vfm === 'none' ? '' : settings.vfm },
        async (caseReport) => {
          await runFull(
            workshop,
            path,
            image,
            settings,
            files as Record<keyof Groups, string>,
            groups,
            caseReport,
          );
        },
      );
      report.line(`    peak resident memory with tracing: ${peakMib()} MiB`);
    }
  },
};

async function runFull(
  { folder, addon }: Workshop,
  path: string,
  image: string,
  { vfm, features_list, soft_mean }: Pick<CaseSettings, 'vfm' | 'features_list' | 'soft_mean'>,
  files: Record<keyof Groups, string>,
  groups: Groups,
  report: CaseReport,
): Promise<void> {
  const picture = await decodeFile(folder.claim(image));
  const { width, height } = picture;
  const method = methodOf({
    vfm,
    features_list,
    soft_mean,
    attn_type: 'qq+kk+vv',
    both_eattn_dattn: true,
    use_scorebase_pooling: true,
    image_size: width,
    context_guidance: 'off',
    images: [image],
  });
  const hasRegisters = groups.dinov2.tensors.some(({ name }) => name === 'register_tokens');
  const engine = await addon.openEngine({
    weights: [files.clip],
    vision: clipTower,
    text: clipText,
    ...(method.dAttn ? { source: { weights: files.dinov2, tower: sourceTower(hasRegisters) } } : {}),
    height,
    width,
    device: 'cpu',
    threads: 0,
  });
  try {
    const rows = groups.prompt.tensors.find(({ name }) => name === 'ctx_pos')!.shape.at(-2)!;
    const prompts = await engine.addContext(promptMaterial(files.prompt, rows), method);
    const input = normalise(picture.data, width, height);
    const began = performance.now();
    const [result] = await engine.scorePreprocessed(
      input,
      { batch: 1, height, width },
      prompts,
      method,
      true,
    );
    const ms = performance.now() - began;
    report.note(
      `score ${result!.score.toFixed(6)} in ${(ms / 1000).toFixed(1)} s; peak resident memory ${peakMib()} MiB before tracing`,
    );
    const trace = await engine.trace(input, { batch: 1, height, width }, prompts, method);
    const fixture = folder.tensors(path);
    const context = { size: 'full', flips: method.dAttn } as const;
    compareScored(fixture, result!, context, report);
    compareFixture(fixture, trace, report, { context });
  } finally {
    await engine.dispose();
  }
}

/** Of the whole process since its start. */
function peakMib(): string {
  return (process.resourceUsage().maxRSS / 1024).toFixed(0);
}

/** What scoring without tracing gave: the score and every summary of the smoothed map. */
function compareScored(
  fixture: SafetensorsFile,
  { score, map }: ScoreResult,
  context: Context,
  report: CaseReport,
): void {
  if (!map) throw new Error('no map came back');
  const scored = {
    score: { shape: [1], data: Float32Array.of(score) },
    map_gauss: { shape: [1, map.height, map.width], data: map.data },
  };
  for (const key of fixture.names()) {
    const expected = fixture.read(key);
    const got = fromTrace(key, expected.shape, scored);
    const tolerance = toleranceOf(key, context);
    if (got && tolerance)
      report.compared(`scoring: ${key}`, tolerance.stage, compareNumbers(expected, got, tolerance));
  }
}

/** The file of a group, made when the cache does not hold it; renamed when whole. */
async function synthesiseOnce(
  addon: NativeAddon,
  cache: string,
  name: string,
  group: RecipeGroup,
): Promise<string> {
  const path = join(cache, `${name}.safetensors`);
  if (existsSync(path) && statSync(path).size > 0) return path;
  mkdirSync(cache, { recursive: true });
  const partial = join(cache, `${name}-${process.pid}.safetensors`);
  await addon.synthWeights(partial, synthTensors(group, columnRule), {});
  renameSync(partial, path);
  return path;
}

const columnFrom = 48;
const columnScale = 1 / 16;

/** In the two projections every column from 48 on is divided by 16 (fixtures.md 2). */
function columnRule(tensor: SynthTensor): SynthTensor {
  return isProjection(tensor.name) ? { ...tensor, columnFrom, columnScale } : tensor;
}

function isProjection(name: string): boolean {
  return name === 'visual.proj' || name === 'text_projection';
}

/** Sums and first values stand in index.json before the column rule; dividing by 16 is exact and so is undoing it. */
function checkSums(group: RecipeGroup, file: SafetensorsFile, report: CaseReport): void {
  let values = 0;
  for (const { name, shape, exponent, sum, firstThree } of group.tensors) {
    const { data } = file.read(name);
    const columns = isProjection(name) ? shape.at(-1)! : 0;
    let total = 0;
    for (let i = 0; i < data.length; i++) {
      total += columns > 0 && i % columns >= columnFrom ? data[i]! / columnScale : data[i]!;
    }
    const tolerance = exponent === null ? 1e-6 : 0;
    const fits =
      Math.abs(total - sum) <= tolerance &&
      firstThree.every((value, i) => Math.abs(value - data[i]!) <= tolerance);
    if (!fits)
      report.holds(name, 'weights by the recipe', data.length, false, `sum ${total}, expected ${sum}`);
    values += data.length;
  }
  report.holds(`sums of ${group.tensors.length} tensors`, 'weights by the recipe', values, true);
}
