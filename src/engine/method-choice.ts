/** From what a call gives to the complete method settings that the engine wants. */
import { isDeepStrictEqual } from 'node:util';
import type { Fit, MethodOptions, Precision } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { type Reading, readingOf } from '../images/reading.js';
import {
  type MethodDescriptor,
  methodFrom,
  methodName,
  type Range,
  settingOf,
} from '../methods/descriptor.js';
import { normals } from '../methods/normals.js';
import {
  allSettings,
  defaultMethod,
  findMethod,
  joinsBank,
  methodOf,
  methodsWith,
  needsBank,
  rangesOf,
  takesMemory,
} from '../methods/registry.js';
import { checkTowers } from '../models/method-towers.js';
import type { ModelDescription } from '../models/model-json.js';
import { defaultOf } from '../options/table.js';
import type { PictureChoices } from '../options/types.js';
import type { BankReference } from './bank-sets.js';

export type ThresholdSource = 'call' | 'model' | 'calibration' | 'bank';

/** Everything that decides one picture's score, complete. */
export interface PictureSettings {
  method: MethodOptions;
  /** name of a set or path; undefined: the model's default set */
  prompts: string | undefined;
  /** what the pictures show; undefined where the method's texts do not name it, or nobody said it yet */
  className: string | undefined;
  /** the bank that it is compared with, or the method's memory of normal pictures */
  normals: BankReference | undefined;
  /** thresholds are taken from the bank's own pictures at this rate */
  falseAlarmRate: number | undefined;
  fit: Fit;
  tileOverlap: number;
  threshold: number | null;
  mapThreshold: number | null;
  /**
   * the call or the engine's options, model.json's own threshold, a calibration of these settings, the bank's own pictures;
   * null: there is none
   */
  thresholdFrom: ThresholdSource | null;
  mapThresholdFrom: ThresholdSource | null;
  reading: Reading;
  /** tells apart what a method carries from picture to picture; undefined: all calls of these settings share it */
  apart?: number;
}

/** What decides scores and is fixed when an engine is loaded. */
export interface EngineSettings {
  size: { width: number; height: number };
  precision: Precision;
}

/** Later choices win over earlier ones; fields that are undefined say nothing. */
export function resolveSettings(
  model: ModelDescription,
  engine: EngineSettings,
  ...choices: PictureChoices[]
): PictureSettings {
  const merged = mergeChoices(choices);
  const method = resolveMethod(model, merged);
  checkNormals(method, merged);
  checkTowers(model, method);
  const fit = merged.fit ?? defaultOf('fit');
  // A stored threshold was calibrated with the model's own settings and is wrong for others.
  const isCalibrated = areOwnSettings(model, engine, {
    prompts: merged.prompts,
    normals: merged.normals,
    fit,
    method,
  });
  const ranges = rangesOf({ method, normals: merged.normals });
  const choose = (given: number | null | undefined, stored: number | null, [low, high]: Range) => {
    if (given != null && (given < low || given > high))
      throw new CraneError(
        'E_USAGE',
        `a threshold of ${given} lies outside of what method ${methodName(method)} gives: ${low} to ${high}`,
      );
    if (given !== undefined) return { value: given, from: 'call' as const };
    return isCalibrated && stored !== null
      ? { value: stored, from: 'model' as const }
      : { value: null, from: null };
  };
  const threshold = choose(merged.threshold, model.threshold, ranges.score);
  const mapThreshold = choose(merged.mapThreshold, model.mapThreshold, ranges.map);
  return {
    method,
    prompts: merged.prompts,
    className: classNameOf(method, merged),
    normals: merged.normals,
    falseAlarmRate: merged.falseAlarmRate,
    fit,
    tileOverlap: merged.tileOverlap ?? defaultOf('tileOverlap'),
    threshold: threshold.value,
    thresholdFrom: threshold.from,
    mapThreshold: mapThreshold.value,
    mapThresholdFrom: mapThreshold.from,
    reading: readingOf(merged),
  };
}

/** A bank beside a method that does not look at it would change nothing without a word. @throws CraneError E_USAGE */
export function checkNormals(
  method: MethodOptions,
  {
    normals,
    falseAlarmRate,
    prompts,
  }: Pick<PictureChoices, 'falseAlarmRate' | 'prompts'> & { normals?: unknown },
): void {
  if (needsBank(method)) {
    if (prompts === undefined) return;
    throw new CraneError(
      'E_USAGE',
      'method normals compares with a bank of normal pictures, not with prompts',
      { hint: 'leave --prompts away, or let both speak: --evidence both' },
    );
  }
  if (joinsBank(method)) return;
  if (normals !== undefined && !takesMemory(method))
    throw new CraneError(
      'E_USAGE',
      `method ${methodName(method)} compares with prompts, not with normal pictures`,
      {
        hint: 'leave the method away, take --method normals, or let both speak: --evidence both',
      },
    );
  if (falseAlarmRate !== undefined && normals !== undefined)
    throw new CraneError(
      'E_USAGE',
      `a false-alarm rate needs own scores of the normal pictures, which method ${methodName(method)} does not give`,
      { hint: 'take --method normals, or choose a threshold with calibrate --normal-only' },
    );
  if (falseAlarmRate !== undefined)
    throw new CraneError('E_USAGE', 'a false-alarm rate needs normal pictures: a bank, or a calibration', {
      hint: 'add --normals FILE or --normals-from FOLDER, or choose a threshold with calibrate --normal-only',
    });
}

/** Its texts name what a picture shows. */
export function namesClass(method: MethodOptions): boolean {
  return methodOf(method).namesClass === true;
}

/** All that its texts need is said. */
export function isEncodable({ method, className }: Pick<PictureSettings, 'method' | 'className'>): boolean {
  return className !== undefined || !namesClass(method);
}

/** @throws CraneError E_PROMPTS where no picture can say what it shows, and nobody did */
export function checkClassName(settings: Pick<PictureSettings, 'method' | 'className'>): void {
  if (isEncodable(settings)) return;
  throw new CraneError(
    'E_PROMPTS',
    `the texts of method ${methodName(settings.method)} name what a picture shows, and nobody said what it is`,
    { hint: 'say it: --class-name bottle (className)' },
  );
}

/** @throws CraneError E_USAGE where the name would change nothing */
function classNameOf(method: MethodOptions, { className }: PictureChoices): string | undefined {
  if (className === undefined || namesClass(method)) return className;
  throw new CraneError('E_USAGE', `method ${methodName(method)} does not name what a picture shows`, {
    hint: 'leave className (--class-name) out',
  });
}

/** The settings that model.json's `threshold` and `mapThreshold` hold for. */
export function areOwnSettings(
  model: ModelDescription,
  { size, precision }: EngineSettings,
  { prompts, normals, fit, method }: Pick<PictureSettings, 'prompts' | 'normals' | 'fit' | 'method'>,
): boolean {
  return (
    // Beside normal pictures the same method gives other scores.
    (normals === undefined || !takesMemory(method)) &&
    (prompts === undefined || prompts === model.prompts.default) &&
    fit === defaultOf('fit') &&
    precision === 'float32' &&
    size.width === model.input.width &&
    size.height === model.input.height &&
    isDeepStrictEqual(method, model.method)
  );
}

export function mergeChoices(choices: PictureChoices[]): PictureChoices {
  const merged: Record<string, unknown> = {};
  const compat: Record<string, unknown> = {};
  for (const choice of choices) {
    for (const [name, value] of Object.entries(choice))
      if (value !== undefined && name !== 'compat') merged[name] = value;
    for (const [name, value] of Object.entries(choice.compat ?? {}))
      if (value !== undefined) compat[name] = value;
  }
  return { ...merged, compat } as PictureChoices;
}

/** The method that normal pictures were learned for; a file is a bank's. */
function ofNormals(reference: BankReference | undefined): string | undefined {
  if (reference === undefined) return undefined;
  return (typeof reference === 'string' ? undefined : reference.facts.method) ?? normals.name;
}

/** @throws CraneError E_USAGE where a method is named that looks at something else */
function methodOfEvidence(base: MethodOptions, { evidence, method }: PictureChoices): string | undefined {
  if (evidence === undefined) return undefined;
  const asked = method ?? methodName(base);
  const ofPrompts = findMethod(asked).comparesWith === undefined ? asked : undefined;
  const wanted = evidence === 'prompts' ? ofPrompts : evidence;
  if (wanted !== undefined && (method === undefined || method === wanted)) return wanted;
  throw new CraneError('E_USAGE', `method ${asked} does not score by the evidence of ${evidence}`, {
    hint: 'leave one of the two out: --method, --evidence',
  });
}

/** A method other than the model's begins with its own defaults, and with the model's settings of what it is built on and of banks. */
function startOf(
  descriptor: MethodDescriptor,
  { method: base, normals: ofBanks }: Pick<ModelDescription, 'method' | 'normals'>,
): MethodOptions {
  if (descriptor.name === methodName(base)) return base;
  const own = { ...defaultMethod(descriptor.name), ...scoringOf(descriptor, ofBanks) };
  if (descriptor.builtOn !== methodName(base)) return own;
  const { name: _, imageScore: __, sigma: ___, compat, ...settings } = base;
  const merged = { ...(own['compat'] as object), ...(compat as object) };
  return { ...own, ...settings, compat: merged };
}

/** What model.json says of how pictures are compared with a bank. */
function scoringOf(
  { comparesWith, settings }: MethodDescriptor,
  ofBanks: ModelDescription['normals'],
): object {
  if (comparesWith === undefined || ofBanks === undefined) return {};
  return Object.fromEntries(
    Object.entries(ofBanks).filter(([name, value]) => Object.hasOwn(settings, name) && value !== undefined),
  );
}

/** A method other than the model's begins with its own defaults. @throws CraneError E_METHOD, E_USAGE */
function resolveMethod(model: ModelDescription, choice: PictureChoices): MethodOptions {
  const base = model.method;
  const wanted =
    methodOfEvidence(base, choice) ?? choice.method ?? ofNormals(choice.normals) ?? methodName(base);
  const descriptor = findMethod(wanted);
  const start = startOf(descriptor, model);
  const chosen = (name: string): unknown =>
    name.startsWith('compat.')
      ? (choice.compat as Record<string, unknown> | undefined)?.[name.slice('compat.'.length)]
      : (choice as Record<string, unknown>)[name];
  for (const name of allSettings().keys()) {
    if (chosen(name) !== undefined && !Object.hasOwn(descriptor.settings, name))
      throw new CraneError('E_USAGE', `method ${descriptor.name} has no setting "${name}"`, {
        hint: `it belongs to ${methodsWith(name).join(', ')}`,
      });
  }
  return methodFrom(descriptor, (name, setting) => {
    const value = chosen(name) ?? settingOf(start, name, setting);
    if (setting.kind === 'choice' && !setting.values.includes(value as string))
      throw new CraneError(
        'E_USAGE',
        `Expected one of ${setting.values.join(', ')} for ${name} of method ${descriptor.name} but received ${String(value)}`,
      );
    return value;
  });
}
