/** The types of the calls and the table of options name the same options; what is named here stands in both. */
import { describe, expect, it } from 'vitest';
import type { CalibrateOptions } from '../../../src/calibrate/calibrate.js';
import type { OpenDataSetOptions } from '../../../src/data/open-data-set.js';
import type { PreprocessedOptions } from '../../../src/engine/engine.js';
import type { LearnNormalsOptions } from '../../../src/engine/learn-normals.js';
import type { ScoreCallOptions, ScoreManyCallOptions } from '../../../src/engine/picture-item.js';
import type { EvaluateDataSetsOptions } from '../../../src/evaluate/evaluate-data-sets.js';
import { checkOptions } from '../../../src/options/check.js';
import type { LibraryCall, OptionSpec } from '../../../src/options/kinds.js';
import { optionNames, options } from '../../../src/options/table.js';
import type { EngineOptions, HeatMapOptions, MethodChoices } from '../../../src/options/types.js';
import type { TrainerOptions } from '../../../src/train/trainer.js';

/** Of a call beside those of its method. */
type Own<T> = Exclude<keyof T, keyof MethodChoices>;

/** Does not compile where one of the names is missing, or is none of them. */
const names =
  <Name extends PropertyKey>() =>
  <const Given extends Name[]>(
    ...given: [Name] extends [Given[number]] ? Given : [missing: Exclude<Name, Given[number]>]
  ) =>
    given as readonly string[];

/** Of every call that scores pictures. */
const ofPictures = [
  'priority',
  'deadlineMs',
  'prompts',
  'normals',
  'evidence',
  'className',
  'fit',
  'tileOverlap',
  'threshold',
  'mapThreshold',
  'bitDepth',
  'valueRange',
  'roi',
  'map',
  'regions',
  'heatmap',
  'mapSize',
  'heatmapFormat',
  'heatmapRange',
  'falseAlarmRate',
  'signal',
  'legend',
  'ignore',
  'onProgress',
] as const;

const fields: Record<LibraryCall, readonly string[]> = {
  loadEngine: names<Own<EngineOptions>>()(
    'model',
    'device',
    'threads',
    'precision',
    'size',
    'startCache',
    'maxPixels',
    'maxTiles',
    'maxDecodedBytes',
    'parallel',
    'maxBatch',
    'maxWaitMs',
    'maxQueue',
    'prompts',
    'normals',
    'evidence',
    'className',
    'fit',
    'tileOverlap',
    'threshold',
    'mapThreshold',
    'bitDepth',
    'valueRange',
    'signal',
    'onWarning',
    'onProgress',
  ),
  score: names<Own<ScoreCallOptions>>()(...ofPictures, 'name'),
  scoreMany: names<Own<ScoreManyCallOptions>>()(...ofPictures, 'batch', 'ordered'),
  scorePreprocessed: names<Own<PreprocessedOptions>>()(
    'prompts',
    'normals',
    'evidence',
    'className',
    'signal',
    'batch',
    'size',
    'map',
  ),
  learnNormals: names<Own<LearnNormalsOptions>>()(
    'evidence',
    'bankTower',
    'bankBlocks',
    'turns',
    'mirror',
    'bankKind',
    'bankVariance',
    'bankSize',
    'bankForeground',
    'bankPrecision',
    'signal',
    'onProgress',
    'onNotes',
  ),
  heatMap: names<Own<HeatMapOptions>>()(
    'mapThreshold',
    'bitDepth',
    'valueRange',
    'heatmapFormat',
    'heatmapRange',
    'signal',
    'legend',
  ),
  openDataSet: names<Own<OpenDataSetOptions>>()(
    'normalFolder',
    'anomalousFolder',
    'unknownFolders',
    'followLinks',
    'maskValues',
    'maskLabels',
    'split',
    'layout',
    'name',
  ),
  createTrainer: names<Own<TrainerOptions>>()(
    'normalFolder',
    'anomalousFolder',
    'unknownFolders',
    'followLinks',
    'maskValues',
    'maskLabels',
    'epochs',
    'batchSize',
    'learningRate',
    'betas',
    'weightDecay',
    'focalWeight',
    'diceWeight',
    'imageLossWeight',
    'guidance',
    'guidanceProbability',
    'upsampling',
    'seed',
    'seeds',
    'order',
    'saveEvery',
    'contextRows',
    'deepTokens',
    'deepBlocks',
    'start',
    'split',
    'layout',
    'leaveOut',
    'portion',
    'kShot',
    'mosaicRate',
    'mosaicPool',
    'mosaicClasses',
    'allowOneClass',
    'cache',
    'cachePrecision',
    'engine',
    'data',
    'out',
    'resume',
    'force',
  ),
  evaluateDataSets: names<Own<EvaluateDataSetsOptions>>()(
    'prompts',
    'normals',
    'evidence',
    'className',
    'fit',
    'tileOverlap',
    'threshold',
    'mapThreshold',
    'bitDepth',
    'valueRange',
    'batch',
    'normalFolder',
    'anomalousFolder',
    'unknownFolders',
    'followLinks',
    'maskValues',
    'maskLabels',
    'split',
    'layout',
    'preset',
    'comparePaper',
    'limits',
    'bootstrap',
    'bootstrapSeed',
    'keepMaps',
    'report',
    'allowEqualScores',
    'engine',
    'data',
    'out',
    'resume',
    'force',
    'signal',
    'onProgress',
  ),
  calibrate: names<Own<CalibrateOptions>>()(
    'normals',
    'normalFolder',
    'anomalousFolder',
    'unknownFolders',
    'followLinks',
    'maskValues',
    'maskLabels',
    'normalOnly',
    'falseAlarmRate',
    'split',
    'layout',
    'allowEqualScores',
    'engine',
    'data',
    'signal',
    'onProgress',
  ),
};

describe.each(Object.entries(fields) as [LibraryCall, readonly string[]][])('%s', (call, given) => {
  it('takes every option that its type has', () => {
    for (const name of given) {
      const check = () => checkOptions(call, { [name]: { no: 'such value' } });
      expect(check).not.toThrow(/knows no option|takes no option/);
    }
  });

  it('has a type with every option of the table', () => {
    const table = options as Record<string, OptionSpec<unknown>>;
    const own = optionNames.filter((name) => {
      const { calls, group } = table[name]!;
      return calls?.includes(call) && group !== 'Method' && group !== 'Compatibility';
    });
    expect(own.filter((name) => !given.includes(name))).toEqual([]);
  });
});
