/** `crane-native test`: figures of a model on labelled pictures. */
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import type { TestRun } from '../runs/test-run.js';
import { visibleJsonText } from '../terminal/visible.js';
import { type Context, paintOf, say } from './context.js';
import { flagsFor, learningOptions, optionsFor, optionsIn, readFlags } from './flags.js';
import { refuseBesideMutual } from './mutual.js';
import { startProgress } from './progress.js';
import { openForTest, shower, someFailed } from './test-run.js';

/** How the banks of --normals-k-shot are learned. */
const k_ofBanks: readonly OptionName[] = ['normals', 'normalsFrom', 'evidence'];
const k_learning = optionsIn('Normals').filter((name) => !k_ofBanks.includes(name));

const names: OptionName[] = [
  'out',
  'resume',
  'force',
  'json',
  'verbose',
  'split',
  'layout',
  'batch',
  ...optionsIn('Data sets', 'Testing', 'Engine', 'Method', 'Compatibility'),
  'parallel',
  'prompts',
  'className',
  ...k_ofBanks,
  ...k_learning,
  'seed',
  'seeds',
  'fit',
  'tileOverlap',
  'bitDepth',
  'valueRange',
  'threshold',
  'mapThreshold',
];

export function testCommand(context: Context): CommandModule {
  return {
    command: 'test [data..]',
    describe: 'evaluate on labelled data sets: tables, intervals, the paper beside them',
    builder: (yargs) => {
      const flags = flagsFor(names);
      const testing = (name: string, describe: string) => ({ ...flags[name], group: 'Testing:', describe });
      return yargs
        .positional('data', {
          type: 'string',
          array: true,
          describe: 'data sets: folders in a known layout, or meta.json',
        })
        .options({
          ...flags,
          out: testing('out', 'folder for tables, results and the maps of examples'),
          seed: testing('seed', 'of the first draw of --normals-k-shot'),
          seeds: testing('seeds', 'draws of --normals-k-shot'),
          resume: testing('resume', 'go on with the test in --out'),
          split: testing('split', 'part of the data sets that is tested (test, train)'),
          layout: testing('layout', flags['layout']!.describe as string),
          force: { ...flags['force'], describe: 'start anew over the test in --out' },
          json: { ...flags['json'], describe: 'results as JSON on stdout, errors as JSON on stderr' },
        })
        .example('$0 test ../data/mine --out results', 'evaluate the default model')
        .example('$0 test ../data/mine --prompts my-prompts --out results', 'prompts that train learned')
        .example(
          '$0 test ../mvtec --model crane+ --preset crane+ --compare-paper --out results',
          'beside the paper',
        )
        .example('$0 test ../mvtec ../visa --paper-table 2c --out t2c', 'an ablation of the paper beside it')
        .example('$0 test ../data/mine --methods all --out methods', 'methods side by side')
        .example(
          '$0 test ../data/mine --normals-k-shot 1,4 --seeds 5 --out few',
          'what a few good pictures are worth',
        )
        .example(
          '$0 test ../data/mine --mutual --out mutual',
          'pictures scored by each other, without good ones',
        )
        .example('$0 test ../data/mine --out grid --grid eAttn=vv,kk fusion=true,false', 'an ablation');
    },
    handler: (argv) => test(context, argv),
  };
}

async function test(context: Context, argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as AllOptions;
  const words = [argv['data'], argv['--']].flatMap((list) => (list as string[] | undefined) ?? []);
  const { parseGrid, splitAxes } = await import('../evaluate/grid.js');
  const given = ([] as unknown[]).concat(argv['grid'] ?? []).map(String);
  const { data, axes } = given.length > 0 ? splitAxes(words, given) : { data: words, axes: [] };
  checkUsage(data, values);
  checkShots(argv, values);
  if (values.mutual) checkMutualTest(values, (name) => argv[flagName(name)] !== undefined);
  const { bankFrom, expectGood } = await import('./normals-from.js');
  await expectGood(values);
  if (values.normalsKShot !== undefined) {
    const { runKShot } = await import('./test-k-shot.js');
    return runKShot(context, values, data);
  }
  if (values.paperTable !== undefined) {
    const { runPaperTable } = await import('./test-paper.js');
    return runPaperTable(context, values, data, (name) => argv[flagName(name)] !== undefined);
  }
  if (given.length > 0 && values.methods === undefined) {
    const { runGrid } = await import('./test-grid.js');
    const { refuseBesideAxes } = await import('./grid-axes.js');
    const parsed = parseGrid(axes);
    refuseBesideAxes(parsed, (name) => argv[flagName(name)] !== undefined);
    return runGrid(context, values, data, parsed);
  }
  if (values.methods !== undefined) {
    const { runMethods } = await import('./test-methods.js');
    return runMethods(context, values, data);
  }
  const { evaluateIn } = await import('../evaluate/evaluate-data-sets.js');
  const engine = await openForTest(context, values);
  const progress = startProgress(context);
  try {
    const learning = learningOptions(values);
    const isFrom = values.normalsFrom !== undefined;
    const compared = isFrom ? { normals: await bankFrom(context, engine, values, learning, progress) } : {};
    const run = await evaluateIn(
      {
        ...optionsFor('evaluateDataSets', values),
        ...compared,
        out: values.out,
        resume: values.resume,
        force: values.force,
        engine,
        data,
        signal: context.stop,
        onProgress: shower(context, progress),
      },
      context.env,
      { panels: values.panels },
    );
    progress.stop();
    await show(context, run, values);
  } finally {
    progress.stop();
    await engine.dispose();
  }
}

/** Faults that can be told before anything is loaded. */
function checkUsage(data: readonly string[], { out }: AllOptions): void {
  if (data.length === 0) {
    throw new CraneError('E_USAGE', 'test needs a data set', {
      hint: 'a folder with test/good, test/<defect> and ground_truth, or a meta.json; see docs/evaluate.md',
    });
  }
  if (out === undefined) {
    throw new CraneError('E_USAGE', 'test needs --out', { hint: 'a folder for the results: --out results' });
  }
}

/** Flags that would change nothing without a word. @throws CraneError E_USAGE */
function checkShots(argv: Record<string, unknown>, values: AllOptions): void {
  const { normalsKShot, normals, normalsFrom } = values;
  const isGiven = (name: string) => argv[flagName(name)] !== undefined;
  if (normalsFrom !== undefined) checkNormalsFrom(values, isGiven);
  if (normalsKShot === undefined) {
    const drawing = [...(normalsFrom === undefined ? k_learning : []), 'seed', 'seeds'];
    const unused = drawing.find(isGiven);
    if (unused === undefined) return;
    throw new CraneError(
      'E_USAGE',
      `--${flagName(unused)} belongs to --normals-k-shot, which draws good pictures`,
    );
  }
  const readsPrompts = values.evidence === 'prompts' || values.evidence === 'both';
  const others = ['grid', 'preset', 'methods', 'paperTable', 'keepMaps', 'panels', 'comparePaper', 'split'];
  const excluded = [...others, ...(readsPrompts ? [] : ['prompts'])].find(isGiven);
  if (excluded !== undefined || normals !== undefined) {
    throw new CraneError('E_USAGE', `--normals-k-shot takes no --${flagName(excluded ?? 'normals')}`, {
      hint: 'it draws its good pictures, scores the test split with them, and writes k-shot.json',
    });
  }
}

/** @throws CraneError E_USAGE */
function checkNormalsFrom({ normals }: AllOptions, isGiven: (name: string) => boolean): void {
  const excluded = (['normalsKShot', 'grid', 'paperTable'] as const).find(isGiven);
  if (excluded === undefined && normals === undefined) return;
  throw new CraneError('E_USAGE', `--normals-from does not go with --${flagName(excluded ?? 'normals')}`, {
    hint: 'the same normal pictures serve for all that is tested: --methods compares methods with them',
  });
}

/** @throws CraneError E_USAGE for flags that --mutual leaves no room for */
function checkMutualTest(values: AllOptions, isGiven: (name: OptionName) => boolean): void {
  const others = [
    'normalsKShot',
    'normals',
    'normalsFrom',
    'evidence',
    'prompts',
    'methods',
    'paperTable',
    'preset',
    'comparePaper',
  ] as const;
  refuseBesideMutual(
    values,
    others.find(isGiven),
    'it compares the tested pictures of a class with each other, and with nothing else',
  );
}

async function show(
  context: Context,
  run: TestRun,
  { out, json, allowEqualScores }: AllOptions,
): Promise<void> {
  const { encodeRun } = await import('../runs/run-json.js');
  const { runText } = await import('../evaluate/outputs/text-table.js');
  const { unscored } = await import('../runs/test-run.js');
  const { refuseEqualScores } = await import('../runs/equal-scores.js');
  const paint = paintOf(context);
  if (json) {
    context.stdout.write(visibleJsonText(encodeRun(run)));
    for (const text of run.warnings) say(context, `WARNING: ${text}`);
  } else context.stdout.write(runText(run, paint));
  const failed = unscored(run);
  for (const { path, error } of failed) say(context, `${path}: ${error.code}: ${error.message}`);
  say(context, `results: ${out}`);
  if (!allowEqualScores) await refuseEqualScores(run);
  if (failed.length > 0) throw someFailed(failed.length);
}
