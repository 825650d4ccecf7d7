/** From what a caller gives to the complete settings of a test. */
import type { Split } from '../data/data-set.js';
import type { Engine } from '../engine/engine.js';
import { mergeChoices, type PictureSettings } from '../engine/method-choice.js';
import { changedReading } from '../images/reading.js';
import type { MethodDescriptor, SettingValue } from '../methods/descriptor.js';
import type { PresetName } from '../options/preset-names.js';
import { defaultOf } from '../options/table.js';
import type { DataChoices, PictureChoices, TestChoices } from '../options/types.js';
import { presets } from '../runs/paper/presets.js';
import type { PromptFacts } from '../runs/prompt-facts.js';
import type { TestedNormals, TestSettings } from '../runs/test-run.js';

export interface ResolvedTest {
  preset: PresetName | null;
  /** of the method and the pictures, the preset's among them */
  choices: PictureChoices;
  /** those of them that no preset made */
  given: PictureChoices;
  limits: number[];
  bootstrap: TestSettings['bootstrap'];
  split: Split;
  layout: string;
  reading: DataChoices;
  comparePaper: boolean;
  keepMaps: boolean;
  report: boolean;
  batch: 'auto' | number;
}

const k_level = 0.95;

/**
 * How the reference reads files, as far as that can move a published figure: some of those sets have masks in JPEG. Not
 * `grey16`: none has 16-bit grey pictures, and those of other sets in the same run would become white.
 */
const k_readAsPublished: PictureChoices = { compat: { maskGrey: true, exif: false } };

/** A call's form of a method's settings, `compat.NAME` within `compat`. */
function nested(settings: Readonly<Record<string, SettingValue>>): PictureChoices {
  const choices: Record<string, unknown> = {};
  const compat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith('compat.')) compat[name.slice('compat.'.length)] = value;
    else choices[name] = value;
  }
  return { ...choices, compat };
}

/** What is given wins over the preset, and that over what the published code does and how it reads files. `prompts` has to be the path of a file or the name of a set. */
export function resolveTest(
  given: TestChoices & PictureChoices,
  { asPublished = {} }: Pick<MethodDescriptor, 'asPublished'> = {},
): ResolvedTest {
  const {
    preset,
    limits = defaultOf('limits'),
    bootstrap: resamples = defaultOf('bootstrap'),
    bootstrapSeed: seed = defaultOf('bootstrapSeed'),
    split = defaultOf('split'),
    layout = defaultOf('layout'),
    normalFolder = [],
    anomalousFolder = [],
    unknownFolders = defaultOf('unknownFolders'),
    followLinks = defaultOf('followLinks'),
    maskValues,
    maskLabels,
    comparePaper = defaultOf('comparePaper'),
    keepMaps = defaultOf('keepMaps'),
    report = defaultOf('report'),
    batch = defaultOf('batch'),
    allowEqualScores: _,
    ...own
  } = given;
  return {
    preset: preset ?? null,
    given: own,
    choices: mergeChoices([
      comparePaper ? mergeChoices([k_readAsPublished, nested(asPublished)]) : {},
      preset === undefined ? {} : presets[preset].choices,
      own,
    ]),
    limits: [...limits],
    bootstrap: resamples === 0 ? null : { resamples, seed, level: k_level },
    split,
    layout,
    reading: {
      normalFolder,
      anomalousFolder,
      unknownFolders,
      followLinks,
      ...(maskValues === undefined ? {} : { maskValues }),
      ...(maskLabels === undefined ? {} : { maskLabels }),
    },
    comparePaper,
    keepMaps,
    report,
    batch,
  };
}

/** All but the label of the model, which the first scored picture tells. */
export function testSettings(
  engine: Engine,
  { preset, limits, bootstrap, split }: ResolvedTest,
  settled: PictureSettings,
  prompts: PromptFacts | null,
  normals: TestedNormals | undefined,
): TestSettings {
  const { model, size } = engine.trainingParts;
  const { method, className, fit, tileOverlap, reading, threshold, mapThreshold } = settled;
  return {
    model: engine.facts.model,
    modelName: model.name,
    size,
    method,
    prompts: prompts && { name: prompts.name, sha256: prompts.sha256, learnedOn: prompts.learnedOn },
    ...(normals === undefined ? {} : { normals }),
    ...(className === undefined ? {} : { className }),
    preset,
    fit,
    tileOverlap,
    exif: reading.exif,
    ...changedReading(reading),
    split,
    limits,
    threshold,
    mapThreshold,
    bootstrap,
  };
}
