/**
 * Shows that the parity tests can fail: one value of each weight group is changed by 1e-3 in the weight file, and at
 * least one key must then leave its tolerance. A disturbance that nothing notices fails the self-check.
 */
import { copyFileSync } from 'node:fs';
import type { NativeEngine } from '#crane/engine/native.js';
import type { Workshop } from './area.js';
import { normBiasExponent, setOf } from './areas/toy-cases.js';
import { compareFixture } from './compare/fixture-case.js';
import { type Disturbance, disturbances } from './disturb/disturbances.js';
import { addToValue } from './disturb/weight-file.js';
import type { SafetensorsFile } from './fixture/safetensors.js';
import { builtSources, type CaseSettings, compatOf, methodOf } from './models/settings.js';
import { readBatch } from './models/toy-images.js';
import type { ModelFiles, ToyModels } from './models/toy-models.js';
import { CaseReport } from './report/case-report.js';
import { describe } from './report/run-report.js';

const amount = 1e-3;

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
    const index = disturbance.at(tensor.shape);
    const where = `${tensor.name}[${index}]`;
    try {
      const worst = await worstRatio(disturbance, group, tensor.name, index, cases, inputs, toys);
      const isNoticed = worst.ratio > 1;
      if (!isNoticed) unnoticed++;
      report.line(
        `${disturbance.group.padEnd(40)} ${where.padEnd(60)} ${isNoticed ? 'noticed' : 'NOT NOTICED'}  ` +
          `error/tolerance ${worst.ratio.toFixed(2)} at ${worst.key}`,
      );
    } catch (thrown) {
      unnoticed++;
      report.line(`${disturbance.group.padEnd(40)} ${where}: ${describe(thrown)}`);
    }
  }
  report.line(`${total - unnoticed} of ${total} disturbances of ${amount} noticed`);
  report.line(`${total - unnoticed} passed, ${unnoticed} failed`);
  return unnoticed > 0 || total === 0 ? 1 : 0;
}

/** The cases with the most inner stages, without and with a spatial source; the undisturbed weights are theirs. */
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
  const byKeys = (a: ChosenCase, b: ChosenCase) => weight(b) - weight(a);
  const withSource = usable.filter(({ settings }) => settings.vfm !== 'none').sort(byKeys);
  const source = withSource[0]?.settings.vfm;
  return [
    ...usable
      .filter(({ settings }) => settings.vfm === 'none')
      .sort(byKeys)
      .slice(0, 2),
    ...withSource.filter(({ settings }) => settings.vfm === source).slice(0, 2),
    ...usable.filter(({ settings }) => settings.context_guidance !== 'off').slice(0, 1),
  ];
}

function weight({ fixture }: ChosenCase): number {
  return fixture.names().length;
}

async function worstRatio(
  { file }: Disturbance,
  group: string,
  tensor: string,
  index: number,
  cases: ChosenCase[],
  inputs: SafetensorsFile,
  toys: ToyModels,
): Promise<{ ratio: number; key: string }> {
  const disturbed = toys.scratchPath('disturbed.safetensors');
  copyFileSync(await toys.synthesise('main', group), disturbed);
  addToValue(disturbed, tensor, index, amount);
  let worst = { ratio: 0, key: 'no key' };
  for (const { name, settings, fixture } of cases) {
    if (file === 'source' && settings.vfm === 'none') continue;
    const files = await toys.files('main', 'recipe', settings.vfm);
    const changed: ModelFiles = {
      clip: file === 'clip' ? [disturbed] : files.clip,
      prompts: file === 'prompt' ? disturbed : files.prompts,
      ...(files.source ? { source: file === 'source' ? disturbed : files.source } : {}),
    };
    const report = await runOnce(changed, settings, fixture, inputs, toys);
    for (const { key, comparison } of report.lines) {
      if (comparison.ratio > worst.ratio) worst = { ratio: comparison.ratio, key: `${name}: ${key}` };
    }
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
    const prompts = await engine.addPrompts(toys.promptSource('main', files.prompts), method);
    const batch = readBatch(inputs, settings.images, settings.image_size);
    const trace = await engine.trace(batch.input, batch.shape, prompts, method);
    compareFixture(fixture, trace, report, { context: { size: 'toy', flips: false } });
  } finally {
    await engine.dispose();
  }
  return report;
}
