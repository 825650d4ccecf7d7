/**
 * The parity tests: every case of a fixture folder (CRANE_PARITY, default test/parity/data) against the engine.
 * Call: node main.js [--self-check] [--only=TEXT]. The last line is "N passed, N failed"; exit code 1 on failure.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '#crane/addon/load-addon.js';
import type { Area } from './area.js';
import { documents } from './areas/documents.js';
import { full } from './areas/full.js';
import { metrics } from './areas/metrics.js';
import { preprocess } from './areas/preprocess.js';
import { clipLoader, promptFiles } from './areas/tensor-index.js';
import { textStages } from './areas/text-stages.js';
import { tokenizer } from './areas/tokenizer.js';
import { toyCases } from './areas/toy-cases.js';
import { toyWeights } from './areas/toy-weights.js';
import { training } from './areas/training.js';
import { FixtureFolder } from './fixture/folder.js';
import { ToyModels } from './models/toy-models.js';
import { describe, RunReport } from './report/run-report.js';
import { selfCheck } from './self-check.js';

const areas: Area[] = [
  tokenizer,
  promptFiles,
  clipLoader,
  preprocess,
  toyWeights,
  textStages,
  toyCases,
  training,
  full,
  metrics,
  documents,
];

/** From build/parity/test/parity/ back to the shipped subset. */
const shippedFixtures = fileURLToPath(new URL('../../../../test/parity/data', import.meta.url));

async function main(args: string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== '--self-check' && !arg.startsWith('--only='));
  if (unknown) throw new Error(`unknown argument ${unknown}; known are --self-check and --only=TEXT`);
  const folder = new FixtureFolder(resolve(process.env['CRANE_PARITY'] || shippedFixtures));
  const { addon } = await loadAddon();
  const { version, libtorch, isa } = await addon.info();
  const report = new RunReport((line) => console.log(line));
  report.line(`crane-native ${version}, libtorch ${libtorch}, ${isa}; fixtures: ${folder.root}`);
  const toys = folder.has('toy/recipe.json') ? new ToyModels(folder, addon) : undefined;
  try {
    if (args.includes('--self-check')) return await selfCheck({ folder, addon, report, toys });
    const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);
    for (const area of areas) {
      if (only !== undefined && !area.name.includes(only)) continue;
      report.heading(area.name);
      try {
        await area.run({ folder, addon, report, toys });
      } catch (thrown) {
        report.fault(`${area.name}: ${describe(thrown)}`);
      }
    }
    // An area that was left out claims nothing, so its files are not unknown.
    if (only === undefined) {
      for (const path of folder.unclaimed()) report.fault(`unknown file ${path}: no area reads it`);
    }
    return report.finish();
  } finally {
    await toys?.dispose();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  console.error(describe(thrown));
  process.exitCode = 1;
}
