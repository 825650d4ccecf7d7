/**
 * Shows that the parity tests can fail: one value of each weight group is changed a little in the weight file, and at
 * least one key must then leave its tolerance. A disturbance that nothing notices fails the self-check.
 */
import { copyFileSync } from 'node:fs';
import type { NativeEngine } from '#crane/addon/native.js';
import type { Workshop } from './area.js';
import { normBiasExponent, setOf } from './areas/toy-cases.js';
import { compareFixture } from './compare/fixture-case.js';
import { attempts, type Disturbance, disturbances } from './disturb/disturbances.js';
import { addToValue } from './disturb/weight-file.js';
import type { SafetensorsFile } from './fixture/safetensors.js';
import { builtSources, type CaseSettings, compatOf, methodOf } from './models/settings.js';
import { readBatch } from './models/toy-images.js';
import type { ModelFiles, ToyModels } from './models/toy-models.js';
import { CaseReport } from './report/case-report.js';

interface ChosenCase {
  name: string;
  settings: CaseSettings;
  fixture: SafetensorsFile;
}

export async function selfCheck({ folder, report, toys }: Workshop): Promise<number> {
  if (!toys || !folder.has('toy/cases.json'))
    throw new Error('the self-check needs toy/recipe.json and toy/cases.json');
  const inputs = folder.tensors('toy/inputs.safetensors');
  const cases = chooseCases(folder.json('toy/cases.json'), (path) =>
    folder.has(path) ? folder.tensors(path) : undefined,
  );
  report.line(`cases: ${cases.map(({ name }) => name).join(', ')}`);
  const undisturbed = await worstOf(cases, inputs, toys, (files) => files);
  report.line(`undisturbed: error/tolerance ${undisturbed.ratio.toFixed(2)} at ${undisturbed.key}`);
  if (undisturbed.ratio > 1) {
    report.line('0 passed, 1 failed: the cases fail without any disturbance');
    return 1;
  }
  let unnoticed = 0;
  let total = 0;
  for (const disturbance of disturbances) {
    const vfm = cases.find(({ settings }) => settings.vfm !== 'none')?.settings.vfm ?? 'none';
    const group = disturbance.file === 'source' ? vfm : disturbance.file;
    if (group === 'none') continue;
    const tensor = toys
      .group('main', group)
      .tensors.filter(({ name }) => disturbance.tensor.test(name))
      .at(disturbance.nth);
    if (!tensor) {
      report.line(`${disturbance.group.padEnd(40)} no such tensor in this model`);
      continue;
    }
    total++;
    let worst: Worst = { ratio: 0, key: 'no key' };
    let where = '';
    for (let attempt = 0; attempt < attempts && worst.ratio <= 1; attempt++) {
      const index = disturbance.at(tensor.shape, attempt);
      where = `${tensor.name}[${index}] + ${disturbance.amount}`;
      worst = await worstDisturbed(disturbance, group, tensor.name, index, cases, inputs, toys);
    }
    const isNoticed = worst.ratio > 1;
    if (!isNoticed) unnoticed++;
    report.line(
      `${disturbance.group.padEnd(28)} ${where.padEnd(68)} ${isNoticed ? 'noticed' : 'NOT NOTICED'}  ` +
        `error/tolerance ${worst.ratio.toFixed(2)} at ${worst.key}`,
    );
  }
  report.line(`${total - unnoticed} of ${total} disturbances noticed`);
  report.line(`${total - unnoticed} passed, ${unnoticed} failed`);
  return unnoticed > 0 || total === 0 ? 1 : 0;
}

/**
 * The most telling cases, without and with a spatial source: the one with the most inner stages and the one with the most
 * keys of one picture, and one with guidance. Their weights are those of the recipe, unchanged.
 */
function chooseCases(
  cases: Record<string, CaseSettings>,
  open: (path: string) => SafetensorsFile | undefined,
): ChosenCase[] {
  const usable = Object.entries(cases)
    .filter(([, settings]) => setOf(settings) === 'main' && normBiasExponent(settings) === undefined)
    .filter(([, settings]) => builtSources.has(settings.vfm))
    .flatMap(([name, settings]) => {
      const fixture = open(`toy/cases/${name}.safetensors`);
      return fixture ? [{ name, settings, fixture }] : [];
    });
  const plain = usable.filter(
    ({ settings }) => settings.vfm === 'none' && settings.context_guidance === 'off',
  );
  const withSource = usable.filter(({ settings }) => settings.vfm !== 'none');
  const guided = usable.filter(({ settings }) => settings.context_guidance !== 'off');
  const source = mostKeys(withSource, isStage)?.settings.vfm;
  const ofSource = withSource.filter(({ settings }) => settings.vfm === source);
  const chosen = [
    mostKeys(plain, isStage),
    mostKeys(ofSource, isStage),
    mostKeys(plain, isOutput),
    mostKeys(ofSource, isOutput),
    guided[0],
  ];
  return [...new Set(chosen)].filter((candidate) => candidate !== undefined);
}

const isStage = (key: string) => key.startsWith('stage.');
const isOutput = (key: string) => !isStage(key);

/** Among cases with equally many such keys, the one with the fewest pictures: it is the quickest. */
function mostKeys(cases: ChosenCase[], counts: (key: string) => boolean): ChosenCase | undefined {
  const rated = cases.map((chosen) => ({ chosen, keys: chosen.fixture.names().filter(counts).length }));
  return rated.sort(
    (a, b) => b.keys - a.keys || a.chosen.settings.images.length - b.chosen.settings.images.length,
  )[0]?.chosen;
}

interface Worst {
  ratio: number;
  key: string;
}

/** Worst error over tolerance with one value of one weight file changed. */
async function worstDisturbed(
  { file, amount }: Disturbance,
  group: string,
  tensor: string,
  index: number,
  cases: ChosenCase[],
  inputs: SafetensorsFile,
  toys: ToyModels,
): Promise<Worst> {
  const disturbed = toys.scratchPath('disturbed.safetensors');
  copyFileSync(await toys.synthesise('main', group), disturbed);
  addToValue(disturbed, tensor, index, amount);
  const concerned = cases.filter(({ settings }) => file !== 'source' || settings.vfm !== 'none');
  return worstOf(concerned, inputs, toys, (files) => ({
    ...files,
    clip: file === 'clip' ? [disturbed] : files.clip,
    prompts: file === 'prompt' ? disturbed : files.prompts,
    ...(files.source && file === 'source' ? { source: disturbed } : {}),
  }));
}

/** Runs the cases until one leaves a tolerance. */
async function worstOf(
  cases: ChosenCase[],
  inputs: SafetensorsFile,
  toys: ToyModels,
  change: (files: ModelFiles) => ModelFiles,
): Promise<Worst> {
  let worst: Worst = { ratio: 0, key: 'no key' };
  for (const { name, settings, fixture } of cases) {
    const files = change(await toys.files('main', 'recipe', settings.vfm));
    const report = await runOnce(files, settings, fixture, inputs, toys);
    for (const { key, comparison } of report.lines) {
      if (comparison.ratio > worst.ratio) worst = { ratio: comparison.ratio, key: `${name}: ${key}` };
    }
    if (worst.ratio > 1) break;
  }
  return worst;
}

async function runOnce(
  files: ModelFiles,
  settings: CaseSettings,
  fixture: SafetensorsFile,
  inputs: SafetensorsFile,
  toys: ToyModels,
): Promise<CaseReport> {
  const report = new CaseReport('self-check');
  const { addon } = toys;
  const engine: NativeEngine = await addon.openEngine(toys.config(files, settings.vfm, settings.image_size));
  try {
    const method = methodOf(settings, compatOf(settings, false));
    const prompts = await engine.addContext(toys.material('main', files.prompts), method);
    const batch = readBatch(inputs, settings.images, settings.image_size);
    const trace = await engine.trace(batch.input, batch.shape, prompts, method);
    compareFixture(fixture, trace, report, { context: { size: 'toy', flips: false } });
  } finally {
    await engine.dispose();
  }
  return report;
}
