/**
 * What TypeScript has to know of a method. A method is one folder in native/methods and one descriptor here; options,
 * checks, model.json's method section, labels, keys of cached features and what schedules pictures are derived from it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { TowerConfig } from '../addon/engine.js';
import type { Guidance, MethodOptions } from '../addon/method.js';
import type { FeatureShape, LearnerSettings } from '../addon/training.js';
import type { WorkPart, WorkSizes } from './operation-counts.js';

export type SettingValue = boolean | number | string | number[] | string[];

interface Described {
  help: string;
  /** the group in the help of commands; 'Method' unless said */
  group?: 'Compatibility';
  /** decides how long a picture takes without a bound that a stranger could be left to choose: no option of requests */
  isCostly?: true;
  /** the name in model.json and in records, where it is not that of the option */
  stored?: string;
  /**
   * of a setting younger than its method: the value that a record without it means. A record never holds this value, so that
   * records, labels and keys made before stay equal.
   */
  absent?: SettingValue;
}

/** One setting as plain data: the option table and model.json's schema are made from it. */
export type Setting = Described &
  (
    | { kind: 'flag' }
    | { kind: 'choice'; values: readonly string[] }
    | { kind: 'integer'; min: number; max: number }
    | { kind: 'number'; min: number; max: number }
    /** `entries`: how many a model.json must list at least; `most`: how many a list may have */
    | { kind: 'integers'; min: number; entries?: number; most?: number }
  );

/** By name, in the order of records and labels; `compat.NAME` for numerics in which paper and engine part. */
export type MethodSettings = Readonly<Record<string, Setting>>;

export type ValueOf<S> = S extends { kind: 'flag' }
  ? boolean
  : S extends { kind: 'choice'; values: readonly (infer V)[] }
    ? V
    : S extends { kind: 'integers' }
      ? number[]
      : number;

/** What a caller may give: `compat.NAME` within `compat`. */
export type ChoicesOf<S extends MethodSettings> = {
  -readonly [K in keyof S as K extends `compat.${string}` ? never : K]?: ValueOf<S[K]>;
};
export type CompatOf<S extends MethodSettings> = {
  -readonly [K in keyof S as K extends `compat.${infer N}` ? N : never]: ValueOf<S[K]>;
};

/** Sentences by the name of their group, and files by the part they play. */
export interface PlainMaterial {
  texts: Record<string, string[]>;
  files: Record<string, string>;
}

/** Two sentences: what is normal, what is anomalous. */
export interface Pair {
  normal: string;
  anomalous: string;
}

/** Lowest and highest value. */
export type Range = readonly [low: number, high: number];

/** The towers as a system runs them, where a model was made for another one. */
export interface MethodBackbone {
  /** of models/backbones.ts: what its figures were made with */
  name: string;
  activation: TowerConfig['activation'];
  /** how positions are fitted to another grid; 'none': its input fits, and a model's own way stays */
  positions: TowerConfig['positionInterpolation']['kind'];
}

/** What decides how a method learns: options of `train`, those that the method has. */
export interface LearningSettings {
  epochs: number;
  batchSize: number;
  learningRate: number;
  betas: [number, number];
  weightDecay?: number;
  focalWeight?: number;
  diceWeight?: number;
  imageLossWeight?: number;
  guidance?: Guidance;
  /** share of the steps that are guided */
  guidanceProbability?: number;
  /** how maps become as large as masks in the loss */
  upsampling?: 'nearest' | 'bilinear';
  contextRows?: number;
  deepTokens?: number;
  deepBlocks?: number;
}

/** Callers pass a method's settings as they come; a descriptor knows which they are. */
type OfMethod<M, Rest extends unknown[], R> = { call(method: M, ...rest: Rest): R }['call'];

export interface MethodDescriptor<M extends MethodOptions = MethodOptions> {
  /** as `--method` and native/methods/registry.cpp spell it */
  name: string;
  /** one line */
  what: string;
  settings: MethodSettings;
  /** what `methods show` says of a published system */
  about?: {
    /** where it was published */
    paper: string;
    /** the code that its figures here were held against */
    code: string;
    /** of its trained parts */
    licence: string;
    /** where that code and the published figures part, a sentence each */
    notes: readonly string[];
  };
  /** complete; by the names of the settings */
  defaults: Readonly<Record<string, SettingValue>>;
  /**
   * what the code that the published figures were made with does, where the defaults do not: couples pictures, depends on
   * their order or on chance; `test --compare-paper` takes it
   */
  asPublished?: Readonly<Record<string, SettingValue>>;
  facts(
    method: M,
    hasMemory: boolean,
  ): {
    /** scores depend on the pictures that share a call */
    couplesPictures: boolean;
    /** they are published over all pictures of a class: a test has a class in one call */
    needsWholeClass?: boolean;
    /** they depend on the pictures that came before: a stream's passes go one after the other, in its order */
    dependsOnOrder?: boolean;
    /** it reads the model's spatial source */
    needsSource: boolean;
  };
  /** what pictures are compared with; 'prompts' unless said */
  comparesWith?: 'bank' | 'both';
  /** the method whose settings of a model and whose learned files it takes for its own */
  builtOn?: string;
  /** what its banks hold of each picture beside patches, told by the settings that decide it */
  besideBank?(method: M): Readonly<Record<string, SettingValue>>;
  /** settings that change nothing with these others, each with the reason; absent: every setting always may */
  idle?(method: M): Partial<Record<string, string>>;
  /**
   * normal pictures may stand beside its texts (`normals`, a few-shot memory): the settings that decide what is kept of each;
   * absent: it looks at none
   */
  remembers?(method: M): Readonly<Record<string, SettingValue>>;
  /**
   * the ranges that scores and map values lie in, with a memory of normal pictures or without; thresholds, 16-bit maps and
   * colours follow them
   */
  ranges(method: M, hasMemory: boolean): { score: Range; map: Range };
  /** its maps stay near the lower end of their range: what flaws seldom exceed, for colours */
  mapsSeldomAbove?: number;
  /** absent: it runs any model's towers as they are */
  backbone?: MethodBackbone;
  /**
   * the file of what was learned beforehand (`prompts`): null: there is none; needed: it cannot be scored without; texts:
   * the two sentences whose words were learned, where the model says none
   */
  learned: { needed: boolean; texts?: Pair } | null;
  /** its texts name what a picture shows: callers say it (`className`), data sets bring it */
  namesClass?: boolean;
  /**
   * what a context is made from; file: the file of what was learned, undefined where it is not needed or still to be
   * learned; texts: those that belong to it; className: what the picture shows, for methods that name it
   */
  material(given: {
    texts: Pair | undefined;
    file: string | undefined;
    className: string | undefined;
  }): PlainMaterial;
  /** what decides the text vectors of a context that are kept between starts, beside its material */
  keptBy(method: M): unknown[];
  /** defaults: of the options of `train` that it has; learner: the table that its learner reads, with the seed of the run; null: nothing is learned */
  training: {
    defaults: LearningSettings;
    learner: OfMethod<M, [settings: LearningSettings, seed: number], LearnerSettings>;
  } | null;
  /** operations of one picture by part, without the texts; absent: they are not counted */
  work?: OfMethod<M, [sizes: WorkSizes], WorkPart[]>;
  /** the parts of a feature cache's key that are the method's; null: nothing of a picture is frozen */
  features: OfMethod<M, [shape: FeatureShape], { shape: unknown; method: unknown }> | null;
}

/** A setting's value in a complete method. */
export function settingOf(method: MethodOptions, name: string, setting: Setting): unknown {
  const stored = setting.stored ?? name;
  const value = stored.startsWith('compat.')
    ? (method['compat'] as Record<string, unknown> | undefined)?.[stored.slice('compat.'.length)]
    : method[stored];
  return value ?? setting.absent;
}

/**
 * A complete method from each setting's value, but for settings with the value that their absence means. Crane's carries no
 * name: the first version's records have none.
 */
export function methodFrom(
  descriptor: MethodDescriptor,
  chosen: (name: string, setting: Setting) => unknown,
): MethodOptions {
  const fields: Record<string, unknown> = descriptor.name === k_unnamed ? {} : { name: descriptor.name };
  const compat: Record<string, unknown> = {};
  for (const [option, setting] of Object.entries(descriptor.settings)) {
    const stored = setting.stored ?? option;
    const value = chosen(option, setting);
    if (setting.absent !== undefined && isDeepStrictEqual(value ?? setting.absent, setting.absent)) continue;
    if (stored.startsWith('compat.')) compat[stored.slice('compat.'.length)] = value;
    else fields[stored] = value;
  }
  if (Object.keys(compat).length > 0) fields['compat'] = compat;
  return fields as MethodOptions;
}

/** The method of records that name none. */
export const k_unnamed = 'crane';

export function methodName(method: { name?: string | undefined }): string {
  return method.name ?? k_unnamed;
}
