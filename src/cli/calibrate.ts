/** `crane-native calibrate`: chooses a threshold from pictures and keeps it with the model. */

import type { CommandModule } from 'yargs';
import type { CalibrateOptions, CalibrationOutcome } from '../calibrate/calibrate.js';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import type { Model } from '../models/model-json.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { type Context, say, waitingIn, warningsTo } from './context.js';
import { engineOptions, flagsFor, learningOptions, optionsFor, optionsIn, readFlags } from './flags.js';
import { sayMemoryNeed } from './memory-need.js';
import { type Progress, startProgress } from './progress.js';
import { sayScan, sayWarnings } from './say-scan.js';
import { printJson } from './subcommands.js';

const notForIt: readonly OptionName[] = ['threshold', 'mapThreshold', 'regions', 'batch'];
const names: OptionName[] = [
  ...optionsIn('Calibration'),
  'normals',
  'evidence',
  'normalsFrom',
  'allowEqualScores',
  'out',
  'force',
  'split',
  'layout',
  'json',
  'verbose',
  ...optionsIn('Data sets', 'Engine', 'Picture', 'Method', 'Compatibility').filter(
    (name) => !notForIt.includes(name),
  ),
];

export function calibrateCommand(context: Context): CommandModule {
  return {
    command: 'calibrate [data]',
    describe: 'choose a threshold from labelled pictures, or from normal ones for a false-alarm rate',
    builder: (yargs) => {
      const flags = flagsFor(names);
      const group = 'Calibration:';
      return yargs
        .positional('data', {
          type: 'string',
          describe: 'a data set, or with --normal-only a folder of normal pictures',
        })
        .options({
          ...flags,
          out: {
            ...flags['out'],
            group,
            describe: 'folder for a copy of the model with the thresholds in it',
          },
          force: { ...flags['force'], group, describe: 'replace the model in --out' },
          split: {
            ...flags['split'],
            group,
            describe: 'part of the data set (test, train)',
            defaultDescription: 'test; with --normal-only train where that has normal pictures',
          },
          layout: { ...flags['layout'], group },
          json: { ...flags['json'], describe: 'the calibration as JSON on stdout, errors as JSON on stderr' },
        })
        .example('$0 calibrate ../data/mine --write', 'best F1 of labelled pictures')
        .example(
          '$0 calibrate good-parts --normal-only --false-alarm-rate 0.02 --write',
          'normal pictures alone',
        )
        .example(
          '$0 calibrate ../data/mine --prompts mine.safetensors --out my-model',
          'into a copy of the model',
        );
    },
    handler: (argv) => run(context, argv),
  };
}

async function run(context: Context, argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as AllOptions;
  const data = dataOf(argv, values);
  const { expectGood } = await import('./normals-from.js');
  await expectGood(values);
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const { calibrate } = await import('../calibrate/calibrate.js');
  const { checkPlace } = await import('../models/model-changes.js');
  const model = await findModel(values.model, context.env);
  // Told before an hour of scoring.
  if (values.out !== undefined) await checkPlace(values.out, values.force);
  sayMemoryNeed(context, model, values.verbose);
  const { addon } = await context.loadAddon();
  const engine = await openEngine(addon, model, {
    ...engineOptions(values),
    ...warningsTo(context),
  });
  const progress = startProgress(context);
  try {
    const { split, ...choices } = optionsFor('calibrate', values);
    const compared = await normalsOf(context, engine, values, progress);
    const options: CalibrateOptions = {
      engine,
      data,
      ...choices,
      ...compared,
      ...(argv['split'] === undefined ? {} : { split }),
      signal: context.stop,
      onProgress: (done, total) => {
        if (done === 1) progress.total(total);
        progress.at(done);
      },
    };
    const outcome = await calibrate(options);
    progress.stop();
    sayScan(context, outcome.scan, values.json);
    const { idleNotes } = await import('../engine/idle-settings.js');
    const idle = idleNotes(optionsFor('loadEngine', values), engine.settings());
    if (!values.json) sayWarnings(context, [...idle, ...outcome.warnings], false);
    const kept = await keep(context, model, engine, outcome, { ...values, ...compared });
    await tell(context, outcome, kept, values.json);
    if (outcome.failed.length > 0) throw someFailed(context, outcome);
  } finally {
    progress.stop();
    await engine.dispose();
  }
}

async function normalsOf(context: Context, engine: Engine, values: AllOptions, progress: Progress) {
  if (values.normalsFrom === undefined) return {};
  const { bankFrom } = await import('./normals-from.js');
  // Here the rate is how the threshold is chosen, not a bank's own.
  const { falseAlarmRate: _, ...others } = values;
  const learning = learningOptions(values);
  return { normals: await bankFrom(context, engine, others as AllOptions, learning, progress) };
}

function dataOf(argv: Record<string, unknown>, values: AllOptions): string {
  const given = [argv['data'], argv['--']].flatMap((entry) => (entry as string | string[] | undefined) ?? []);
  if (given.length !== 1) {
    throw new CraneError('E_USAGE', `calibrate takes one data set, ${given.length} are given`, {
      hint: 'a data set with test/good and test/<defect>, or with --normal-only a folder of normal pictures',
    });
  }
  if (argv['false-alarm-rate'] !== undefined && !values.normalOnly) {
    throw new CraneError('E_USAGE', '--false-alarm-rate belongs to --normal-only', {
      hint: 'labelled pictures give the threshold of best F1; add --normal-only to choose by the rate',
    });
  }
  if (values.normalsFrom !== undefined && values.normals !== undefined)
    throw new CraneError('E_USAGE', '--normals-from does not go with --normals', {
      hint: 'a bank from its file, or pictures that one is learned from',
    });
  if (values.write && values.out !== undefined) {
    throw new CraneError('E_USAGE', 'expected --write or --out, not both', {
      hint: '--write keeps the thresholds with the model, --out makes a copy of the model with them',
    });
  }
  return given[0]!;
}

/** @returns the file that holds the thresholds now; undefined: none was wanted */
async function keep(
  context: Context,
  model: Model,
  engine: Engine,
  { calibration }: CalibrationOutcome,
  { write, out, force, normals }: AllOptions,
): Promise<string | undefined> {
  if (!write && out === undefined) return undefined;
  const { keepInCopy, keepWithModel } = await import('../calibrate/store.js');
  const { areOwnSettings } = await import('../engine/method-choice.js');
  const { input: size } = engine.facts;
  const settings = engine.settings(normals === undefined ? {} : { normals });
  const isOwnSettings = areOwnSettings(model, { size, precision: engine.facts.precision }, settings);
  const options = { model, calibration, isOwnSettings, env: context.env };
  return out === undefined ? keepWithModel(options, waitingIn(context)) : keepInCopy(out, force, options);
}

async function tell(
  context: Context,
  { calibration, failed, warnings }: CalibrationOutcome,
  kept: string | undefined,
  json: boolean,
): Promise<void> {
  if (json) {
    const rest = warnings.length > 0 ? { warnings } : {};
    return printJson(context, { ...calibration, file: kept ?? null, failed, ...rest });
  }
  const { explain } = await import('../calibrate/explain.js');
  context.stdout.write(explain(calibration));
  say(
    context,
    kept === undefined
      ? 'not kept: add --write to keep it with the model, or --out FOLDER for a copy of the model'
      : `kept in ${kept}; score takes it by itself for these settings, and for no others`,
  );
}

function someFailed(context: Context, { failed, calibration }: CalibrationOutcome): CraneError {
  const { normal, anomalous } = calibration.pictures;
  for (const { input, error } of failed.slice(0, 5)) say(context, `${input}: ${error.message}`);
  return new CraneError(
    'E_INPUTS_FAILED',
    `${failed.length} of ${failed.length + normal + anomalous} pictures failed; the thresholds come from the others`,
  );
}
