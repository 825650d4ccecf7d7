/** toy/cases: every case of cases.json through the engine's trace, in every form of the weights. */
import type { CraneOptions, TraceResult } from '#crane/addon/native.js';
import type { Area, Workshop } from '../area.js';
import { compareBits } from '../compare/compare.js';
import { compareFixture } from '../compare/fixture-case.js';
import { sameBits } from '../compare/tolerances.js';
import type { SafetensorsFile } from '../fixture/safetensors.js';
import { builtSources, type CaseSettings, compatOf, methodOf } from '../models/settings.js';
import { readBatch } from '../models/toy-images.js';
import type { Form, SetName, ToyModels } from '../models/toy-models.js';
import type { CaseReport } from '../report/case-report.js';
import { checkDefaults } from './toy-defaults.js';
import { checkScoringPaths } from './toy-scoring-paths.js';
import type { TracedCase } from './traced-case.js';

export const toyCases: Area = {
  name: 'toy/cases',
  async run({ folder, report, toys }) {
    if (!toys || !folder.has('toy/cases.json')) return;
    const cases = folder.json<Record<string, CaseSettings>>('toy/cases.json');
    const inputs = folder.tensors('toy/inputs.safetensors');
    for (const path of folder.list(/^toy\/cases\/.*\.safetensors$/)) {
      const name = path.slice('toy/cases/'.length, -'.safetensors'.length);
      if (!(name in cases)) report.fault(`${path}: cases.json has no entry "${name}"`);
    }
    for (const [name, settings] of Object.entries(cases)) {
      const path = `toy/cases/${name}.safetensors`;
      if (!folder.has(path)) {
        report.line(`${path}: in cases.json, but this folder holds no such file`);
        continue;
      }
      const fixture = folder.tensors(path);
      await runCase({ name: path, settings, fixture, inputs, toys, report });
    }
  },
};

interface CaseRun {
  name: string;
  settings: CaseSettings;
  fixture: SafetensorsFile;
  inputs: SafetensorsFile;
  toys: ToyModels;
  report: Workshop['report'];
}

/** First form in full; the others must keep the tolerances too and give the same bits as the first. */
async function runCase({ name, settings, fixture, inputs, toys, report }: CaseRun): Promise<void> {
  const set = setOf(settings);
  let first: TraceResult | undefined;
  for (const form of toys.forms(set)) {
    const isFirst = first === undefined;
    await report.case(
      name,
      { subtitle: describeForm(toys, set, form, settings), brief: !isFirst },
      async (caseReport) => {
        const run = await traceCase(toys, set, form, settings, fixture, inputs);
        noteCompat(run.method, caseReport);
        compareFixture(fixture, run.trace, caseReport, {
          context: { size: 'toy', flips: settings.vfm === 'sam' },
        });
        if (first) compareWithFirst(fixture, first, run.trace, caseReport);
        first ??= run.trace;
        if (!isFirst) return;
        await checkScoringPaths(run, fixture, caseReport);
        await checkDefaults(run, settings, caseReport);
      },
    );
  }
}

export async function traceCase(
  toys: ToyModels,
  set: SetName,
  form: Form,
  settings: CaseSettings,
  fixture: SafetensorsFile,
  inputs: SafetensorsFile,
): Promise<TracedCase> {
  if (!builtSources.has(settings.vfm))
    throw new Error(`cases.json: unknown spatial source "${settings.vfm}"`);
  const files = await toys.files(set, form, settings.vfm, normBiasExponent(settings));
  const engine = await toys.engine(files, settings.vfm, settings.image_size);
  const method = methodOf(settings, compatOf(settings, holdsNan(fixture)));
  const prompts = await engine.addContext(toys.material(set, files.prompts), method);
  const batch = readBatch(inputs, settings.images, settings.image_size);
  return {
    engine,
    prompts,
    method,
    batch,
    trace: await engine.trace(batch.input, batch.shape, prompts, method),
  };
}

export function setOf(settings: CaseSettings): SetName {
  return settings.images.some((name) => name === 'archive image') ? 'archive' : 'main';
}

/** "norm.bias of exponent -3": the one case with changed weights says so in its note. */
export function normBiasExponent(settings: CaseSettings): number | undefined {
  const match = /norm\.bias[^.]*exponent (?:e = )?(-?\d+)/.exec(settings.note ?? '');
  return match ? Number(match[1]) : undefined;
}

export function holdsNan(fixture: SafetensorsFile): boolean {
  return fixture.names().some((key) => fixture.read(key).data.some(Number.isNaN));
}

function describeForm(toys: ToyModels, set: SetName, form: Form, settings: CaseSettings): string {
  return settings.vfm === 'none' ? toys.label(set, form) : `${toys.label(set, form)}; ${settings.vfm}`;
}

function noteCompat({ compat }: CraneOptions, report: CaseReport): void {
  const switches = [
    compat.batchMean ? 'batchMean' : '',
    compat.emptyRows === 'nan' ? "emptyRows 'nan'" : '',
    compat.dAttnLayers.length > 0 ? `dAttnLayers ${compat.dAttnLayers.join(' ')}` : '',
  ].filter((text) => text !== '');
  if (switches.length > 0) report.note(`compat: ${switches.join(', ')}`);
}

function compareWithFirst(
  fixture: SafetensorsFile,
  first: TraceResult,
  again: TraceResult,
  report: CaseReport,
): void {
  for (const key of fixture.names()) {
    const [a, b] = [first[key], again[key]];
    if (a && b) report.compared(`${key}: as the first form`, sameBits, compareBits(a.data, b.data));
  }
}
