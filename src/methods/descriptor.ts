/**
 * What TypeScript has to know of a method. A method is one folder in native/methods and one descriptor here; options,
 * checks, model.json's method section, labels, keys of cached features and what schedules pictures are derived from it.
 */
import type { MethodOptions } from '../addon/method.js';
import type { FeatureShape } from '../addon/training.js';

export type SettingValue = boolean | number | string | number[] | string[];

interface Described {
  help: string;
  /** the group in the help of commands; 'Method' unless said */
  group?: 'Compatibility';
  /** the name in model.json and in records, where it is not that of the option */
  stored?: string;
}

/** One setting as plain data: the option table and model.json's schema are made from it. */
export type Setting = Described &
  (
    | { kind: 'flag' }
    | { kind: 'choice'; values: readonly string[] }
    | { kind: 'integer'; min: number; max: number }
    | { kind: 'number'; min: number; max: number; open?: boolean }
    /** `entries`: how many a model.json must list at least */
    | { kind: 'integers'; min: number; entries?: number }
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

export interface MethodDescriptor {
  /** as `--method` and native/methods/registry.cpp spell it */
  name: string;
  /** one line */
  what: string;
  settings: MethodSettings;
  /** complete; by the names of the settings */
  defaults: Readonly<Record<string, SettingValue>>;
  facts(method: MethodOptions): {
    /** scores depend on the pictures that share a call */
    couplesPictures: boolean;
    /** it reads the model's spatial source */
    needsSource: boolean;
  };
  /** the range that scores and map values lie in, whatever the settings */
  ranges: { score: readonly [number, number]; map: readonly [number, number] };
  /** its texts name what a picture shows: callers say it (`className`), data sets bring it */
  namesClass?: boolean;
  /**
   * what a context is made from; file: the prompt file in use, texts: those that the model gives for it, className: what
   * the picture shows, for methods that name it
   */
  material(given: {
    texts: { normal: string; anomalous: string };
    file: string;
    className: string | undefined;
  }): PlainMaterial;
  /** what decides the text vectors of a context that are kept between starts, beside its material */
  keptBy(method: MethodOptions): unknown[];
  /** what a learner takes over from the method's settings, beside the training options; null: nothing is learned */
  learner: ((method: MethodOptions) => Record<string, SettingValue>) | null;
  /** the parts of a feature cache's key that are the method's; null: nothing of a picture is frozen */
  features: ((method: MethodOptions, shape: FeatureShape) => { shape: unknown; method: unknown }) | null;
}

/** A setting's value in a complete method. */
export function settingOf(method: MethodOptions, name: string, setting: Setting): unknown {
  const stored = setting.stored ?? name;
  const fields = method as unknown as Record<string, unknown>;
  return stored.startsWith('compat.')
    ? (fields['compat'] as Record<string, unknown> | undefined)?.[stored.slice('compat.'.length)]
    : fields[stored];
}

/** A complete method from each setting's value. Crane's carries no name: the first version's records have none. */
export function methodFrom(
  descriptor: MethodDescriptor,
  chosen: (name: string, setting: Setting) => unknown,
): MethodOptions {
  const fields: Record<string, unknown> = descriptor.name === k_unnamed ? {} : { name: descriptor.name };
  const compat: Record<string, unknown> = {};
  for (const [option, setting] of Object.entries(descriptor.settings)) {
    const stored = setting.stored ?? option;
    if (stored.startsWith('compat.')) compat[stored.slice('compat.'.length)] = chosen(option, setting);
    else fields[stored] = chosen(option, setting);
  }
  if (Object.keys(compat).length > 0) fields['compat'] = compat;
  return fields as unknown as MethodOptions;
}

/** The method of records that name none. */
export const k_unnamed = 'crane';

export function methodName(method: { name?: string | undefined }): string {
  return method.name ?? k_unnamed;
}
