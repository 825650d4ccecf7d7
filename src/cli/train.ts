/** `crane-native train`: learns prompts from labelled pictures. */
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { formatBytes } from '../terminal/bytes.js';
import { visible } from '../terminal/visible.js';
import type { TrainOutcome } from '../train/outcome.js';
import type { TrainPlan } from '../train/plan.js';
import { type Context, say, sayLines, waitingIn, warningsTo } from './context.js';
import { flagsFor, optionsFor, optionsIn, readFlags, readList } from './flags.js';
import { sayMemoryNeed } from './memory-need.js';
import { startProgress } from './progress.js';
import { printJson } from './subcommands.js';
import { shower } from './train-progress.js';

const ownNames = optionsIn('Training');
/** Of the tests of --then-test: without one they would change nothing, and nobody would say so. */
const testingNames: OptionName[] = [
  'preset',
  'limits',
  'bootstrap',
  'bootstrapSeed',
  'comparePaper',
  'report',
];
const names: OptionName[] = [
  'out',
  'resume',
  'force',
  'json',
  'verbose',
  ...ownNames,
  ...optionsIn('Data sets', 'Engine', 'Method', 'Compatibility'),
  'bitDepth',
  'valueRange',
  'grid',
  'paperTable',
  ...testingNames,
];

export function trainCommand(context: Context): CommandModule {
  return {
    command: 'train [data..]',
    describe: 'learn prompts from labelled pictures: data sets in, prompts and a report out',
    builder: (yargs) => {
      const flags = flagsFor(names);
      return yargs
        .positional('data', {
          type: 'string',
          array: true,
          describe: 'data sets: folders in a known layout, or meta.json',
        })
        .options({
          ...flags,
          out: { ...flags['out'], group: 'Training:', describe: 'folder for prompts, state and report' },
          resume: { ...flags['resume'], group: 'Training:', describe: 'go on with the training in --out' },
          grid: {
            ...flags['grid'],
            group: 'Training:',
            describe: 'learn with all combinations: --grid epochs=1,5 guidance=none,pad-suffix',
          },
          force: { ...flags['force'], describe: 'start anew over the training in --out' },
          json: { ...flags['json'], describe: 'the outcome as JSON on stdout, errors as JSON on stderr' },
        })
        .example('$0 train ../data/mine --out my-prompts', 'learn')
        .example('$0 score part.png --prompts my-prompts/prompts.safetensors', 'use what was learned')
        .example('$0 train ../data/mine --out my-prompts --dry-run', 'what it would take')
        .example(
          '$0 train ../visa --seeds 3 --then-test ../mvtec --out three',
          'learn with three seeds and test each: mean and spread of the figures',
        )
        .example(
          '$0 train ../visa --grid guidance=none,pad-suffix --then-test ../mvtec --out guided',
          'learn in several ways',
        )
        .example(
          '$0 train ../visa --paper-table 2b --then-test ../mvtec --out t2b',
          'an ablation of the paper beside it',
        );
    },
    handler: (argv) => train(context, argv),
  };
}

async function train(context: Context, argv: Record<string, unknown>): Promise<void> {
  const read = readFlags(argv, names);
  // A rate of 0 that was given goes with any pool; the default is none.
  if (argv[flagName('mosaicRate')] === undefined) delete read.mosaicRate;
  const values = read as AllOptions;
  const words = [argv['data'], argv['--']].flatMap((list) => (list as string[] | undefined) ?? []);
  const { splitAxes } = await import('../evaluate/grid.js');
  const grid = ([] as unknown[]).concat(argv['grid'] ?? []).map(String);
  const { data, axes } = grid.length > 0 ? splitAxes(words, grid) : { data: words, axes: [] };
  checkUsage(data, values);
  const isGiven = (name: OptionName) => argv[flagName(name)] !== undefined;
  const testData = readList(argv, 'thenTest') ?? [];
  const unused = testData.length === 0 ? testingNames.find(isGiven) : undefined;
  if (unused !== undefined)
    throw new CraneError(
      'E_USAGE',
      `--${flagName(unused)} belongs to --then-test, which tests what was learned`,
    );
  if (axes.length > 0 || testData.length > 0 || isGiven('paperTable')) {
    if (values.keepAs !== undefined)
      throw new CraneError('E_USAGE', '--keep-as keeps what one training learned: not one of several');
    const { runTrialsCommand } = await import('./train-trials.js');
    return runTrialsCommand(context, values, { data, testData, axes, isGiven });
  }
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const { makeTrainer } = await import('../train/trainer.js');
  const model = await findModel(values.model, context.env);
  sayMemoryNeed(context, model, values.verbose);
  const { checkKept, keepSet } = await import('../models/keep-set.js');
  const { keepAs, force: overwrite } = values;
  // Not after an hour of learning.
  if (keepAs !== undefined) checkKept(model, { name: keepAs, overwrite });
  const { addon } = await context.loadAddon();
  const engine = await openEngine(addon, model, {
    ...optionsFor('loadEngine', values),
    ...warningsTo(context),
  });
  const progress = startProgress(context);
  try {
    const { out = 'none', resume, force } = values;
    const trainer = await makeTrainer(
      { engine, data, out, resume, force, ...optionsFor('createTrainer', values) },
      context.env,
      { isPlan: values.dryRun },
    );
    const show = shower(context, progress);
    if (values.dryRun) {
      const plan = await trainer.plan({
        measure: values.measure,
        signal: context.stop,
        // what there is to note stands in the plan
        onProgress: (event) => {
          if (event.stage !== 'note') show({ ...event, seed: values.seed, run: 0, runs: 1 });
        },
      });
      progress.stop();
      if (values.json) printJson(context, plan);
      else context.stdout.write(planText(plan));
      return;
    }
    const outcome = await trainer.run({ signal: context.stop, onProgress: show });
    progress.stop();
    if (keepAs !== undefined) {
      const { learnedOn, runs } = outcome;
      const { methodOf } = await import('../methods/registry.js');
      const method = methodOf(engine.settings().method);
      const kept = { name: keepAs, method, learnedOn, overwrite };
      say(
        context,
        `kept as set "${keepAs}" of ${model.name}: ${await keepSet(model, runs[0]!.prompts, kept, waitingIn(context))}`,
      );
    }
    if (values.json) printJson(context, outcome);
    else context.stdout.write(outcomeText(context, outcome));
  } finally {
    progress.stop();
    await engine.dispose();
  }
}

function checkUsage(data: readonly string[], { out, dryRun, measure, keepAs, seeds }: AllOptions): void {
  if (data.length === 0) {
    throw new CraneError('E_USAGE', 'train needs a data set', {
      hint: 'a folder with test/good, test/<defect> and ground_truth, or a meta.json; see docs/train.md',
    });
  }
  if (out === undefined && !dryRun) {
    throw new CraneError('E_USAGE', 'train needs --out', {
      hint: 'a folder for what is learned: --out my-prompts',
    });
  }
  if (keepAs !== undefined && (dryRun || seeds > 1))
    throw new CraneError(
      'E_USAGE',
      `--keep-as keeps what one run learned: not with ${dryRun ? '--dry-run' : '--seeds'}`,
    );
  if (measure && !dryRun) throw new CraneError('E_USAGE', '--measure belongs to --dry-run');
}

function outcomeText(context: Context, { out, runs, spread, learnedOn }: TrainOutcome): string {
  if (spread) {
    const of = Object.entries(spread).map(
      ([term, { mean, deviation, lowest, highest }]) =>
        `  ${term.padEnd(6)} ${mean.toFixed(4)} +- ${deviation.toFixed(4)} (${lowest.toFixed(4)} to ${highest.toFixed(4)})`,
    );
    sayLines(
      context,
      [`last epoch over ${runs.length} seeds, mean +- standard deviation:`, ...of].join('\n'),
    );
  }
  say(context, `learned on ${learnedOn.join(', ')}: scores on these are no zero-shot results`);
  say(context, `report: ${resolve(out, 'report.html')}`);
  say(context, 'score with it: npx crane-native score PICTURES --prompts FILE, where FILE is');
  return runs.map(({ prompts }) => `${resolve(prompts)}\n`).join('');
}

function planText(plan: TrainPlan): string {
  const { features, memory, seconds } = plan;
  const sets = plan.sets.flatMap(({ name, split, classes }) => [
    visible(`${name} (${split})`),
    ...classes.map(
      ({ className, normal, anomalous, withMask }) =>
        `  ${visible(className)}: ${normal} normal, ${anomalous} anomalous (${withMask} with mask)`,
    ),
  ]);
  const mosaics = plan.mosaics > 0 ? `, ${plan.mosaics} mosaics` : '';
  const each = plan.runs > 1 ? `${plan.runs} runs of ` : '';
  const free = features.bytesFree === undefined ? '' : `, ${formatBytes(features.bytesFree)} are free`;
  const time = seconds
    ? `about ${formatTime(seconds.total)} (an estimate: ${seconds.picture.toFixed(3)} s a picture, ${seconds.step.toFixed(4)} s a step)`
    : 'not known; --measure times one picture and one step';
  return `${[
    ...sets,
    ...plan.notes.map(visible),
    `pictures  ${plan.pictures}${mosaics}`,
    `steps     ${each}${plan.epochs} epochs of ${plan.stepsPerEpoch} steps`,
    `features  ${features.found} in the cache, ${features.missing} to compute`,
    `disk      ${formatBytes(features.bytesMissing)} for features (${formatBytes(features.bytesEach)} each, ${features.precision}) in ${features.folder}${free}`,
    `memory    about ${formatBytes(memory.needed)}, ${formatBytes(memory.free)} are free`,
    `time      ${time}`,
  ].join('\n')}\n`;
}

function formatTime(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
