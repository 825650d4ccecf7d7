/** `crane-native train --grid`, `--then-test`, `--paper-table`: several trainings, the tests of what they learned, one table. */
import { labelsOfGroups } from '../data/open-data-set.js';
import { CraneError } from '../errors.js';
import { gridCells, learningGridNames, parseGrid } from '../evaluate/grid.js';
import { figuresText } from '../evaluate/outputs/figures-table.js';
import { paperGrid, refuseRowsOwn } from '../evaluate/paper-grid.js';
import { seedsFrom } from '../options/seeds.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { runTrials, someFailed, type TrialProgress } from '../trials/run-trials.js';
import { type Trial, trialName } from '../trials/trial.js';
import { type Context, paintOf, say, warningsTo } from './context.js';
import { optionsFor } from './flags.js';
import { refuseBesideAxes } from './grid-axes.js';
import { sayMemoryNeed } from './memory-need.js';
import { type Progress, startProgress } from './progress.js';
import { printJson } from './subcommands.js';
import { shower as testShower } from './test-run.js';
import { shower as trainShower } from './train-progress.js';

export interface TrialsGiven {
  data: readonly string[];
  /** of --then-test */
  testData: readonly string[];
  /** of --grid */
  axes: readonly string[];
  isGiven: (name: OptionName) => boolean;
}

export async function runTrialsCommand(
  context: Context,
  values: AllOptions,
  { data, testData, axes: texts, isGiven }: TrialsGiven,
): Promise<void> {
  checkTrials(values, testData, isGiven);
  const { axes, cells, beside } = cellsOf(values, texts, isGiven);
  if (beside) say(context, beside.title);
  const seeds = seedsFrom(values.seed, values.seeds);
  // Before hours of learning: that a tested set is not there, too.
  const [learned, tested] = await labelsOfGroups([data, testData], values);
  const progress = startProgress(context);
  try {
    const { results, table } = await runTrials(
      {
        axes,
        cells,
        seeds,
        beside,
        data,
        testData,
        out: values.out,
        resume: values.resume,
        force: values.force,
        openEngine: (choices) => openFor(context, { ...values, ...choices }),
        trainOptions: (choices) => optionsFor('createTrainer', { ...values, ...choices, ...learned }),
        testOptions: (choices) => testOptions({ ...values, ...choices, ...tested }),
        signal: context.stop,
        onProgress: shower(context, progress),
      },
      context.env,
    );
    progress.stop();
    if (values.json) printJson(context, jsonOf(table, results));
    else context.stdout.write(figuresText(table, paintOf(context)));
    say(context, `results: ${values.out}`);
    const failed = someFailed(results);
    if (failed) throw failed;
  } finally {
    progress.stop();
  }
}

function jsonOf(
  { title, axes, columns, rows, warnings, notes }: Parameters<typeof figuresText>[0],
  results: Awaited<ReturnType<typeof runTrials>>['results'],
) {
  return {
    title,
    axes,
    columns: columns.map(({ key }) => key),
    rows,
    warnings,
    notes,
    trials: results.map(({ trial: { cell, seed, folder }, ...rest }) => ({
      ...{ values: cell.texts, seed, folder },
      ...('error' in rest ? { error: rest.error } : { losses: rest.losses }),
    })),
  };
}

/** @throws CraneError E_USAGE */
function checkTrials(
  { dryRun }: AllOptions,
  testData: readonly string[],
  isGiven: (name: OptionName) => boolean,
): void {
  if (dryRun)
    throw new CraneError(
      'E_USAGE',
      '--dry-run tells of one training: not of --grid, --then-test, --paper-table',
      {
        hint: 'leave them out: what one training takes, each of them takes; features are computed once',
      },
    );
  if (isGiven('paperTable') && testData.length === 0)
    throw new CraneError('E_USAGE', '--paper-table needs --then-test: its figures are those of tests', {
      hint: '--then-test ../visa, after learning on ../mvtec',
    });
  if (isGiven('paperTable') && isGiven('grid'))
    throw new CraneError('E_USAGE', '--paper-table takes no --grid: it is one');
}

function cellsOf(values: AllOptions, texts: readonly string[], isGiven: (name: OptionName) => boolean) {
  if (values.paperTable === undefined) {
    const axes = parseGrid(texts, learningGridNames());
    refuseBesideAxes(axes, isGiven);
    return { axes, cells: gridCells(axes), beside: undefined };
  }
  const grid = paperGrid({
    table: values.paperTable,
    model: isGiven('model') ? values.model : undefined,
    preset: values.preset,
    method: values.method,
  });
  refuseRowsOwn(grid, isGiven);
  const { axis, cells, beside } = grid;
  return { axes: [axis], cells, beside };
}

async function openFor(context: Context, values: AllOptions) {
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const model = await findModel(values.model, context.env);
  sayMemoryNeed(context, model, values.verbose);
  const { addon } = await context.loadAddon();
  return openEngine(addon, model, { ...optionsFor('loadEngine', values), ...warningsTo(context) });
}

/** Split and layout are those of what is learned from. */
function testOptions(values: AllOptions) {
  const { split: _split, layout: _layout, ...rest } = optionsFor('evaluateDataSets', values);
  return rest;
}

function shower(context: Context, progress: Progress) {
  let shown = '';
  let train = trainShower(context, progress);
  let test = testShower(context, progress);
  return (trial: Trial, at: number, of: number, { step, ...rest }: TrialProgress) => {
    const name = trialName(trial);
    if (name !== shown) {
      shown = name;
      progress.clear();
      say(context, `${at + 1}/${of}: ${name}`);
      train = trainShower(context, progress);
      test = testShower(context, progress, `${at + 1}/${of} `);
    }
    if ('error' in rest) {
      progress.clear();
      return say(context, `failed: ${rest.error.code}: ${rest.error.message}`);
    }
    // The same sentences for every training.
    if (rest.event.stage === 'note' && at > 0) return;
    if (step === 'train') train(rest.event as Parameters<typeof train>[0]);
    else test(rest.event as Parameters<typeof test>[0]);
  };
}
