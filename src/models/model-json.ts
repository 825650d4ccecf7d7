/** The form of model.json: what a model consists of and how it wants to be used. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { MethodOptions, TextConfig, TowerConfig } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { both } from '../methods/both.js';
import {
  k_unnamed,
  type MethodDescriptor,
  methodFrom,
  type Setting,
  settingOf,
} from '../methods/descriptor.js';
import { normals } from '../methods/normals.js';
import { findMethod, methodNames, methodOf, needsSource } from '../methods/registry.js';
import { type Calibration, calibrationSchema } from './calibration.js';
import { recipesSchema } from './model-recipe.js';
import { objectionsTo } from './precision-rule.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');
const channel3 = z.tuple([z.number(), z.number(), z.number()]);
const positiveInt = z.int().min(1);

/** A file of the model's folder: it may not leave it. */
const localFile = z.string().min(1).refine(staysInside, 'expected a path inside the folder of model.json');

const weightFile = z.strictObject({
  file: localFile.refine(
    (file) => !file.endsWith('.json'),
    'expected one file; make one of several with `crane-native weights convert`',
  ),
  sha256,
  bytes: positiveInt,
});
const activation = z.enum(['quick-gelu', 'gelu']);

const tower = z.strictObject({
  activation,
  layerNormEps: z.number().positive(),
  mean: channel3,
  std: channel3.refine((std) => std.every((value) => value > 0), 'expected numbers above 0'),
  positionInterpolation: z.strictObject({
    kind: z.enum(['none', 'bilinear', 'bicubic', 'bicubic-antialias']),
    offset: z.number(),
  }),
  heads: positiveInt.optional(),
  blocks: z.int().min(0),
}) satisfies z.ZodType<TowerConfig>;

const text = z.strictObject({
  activation,
  layerNormEps: z.number().positive(),
  heads: positiveInt.optional(),
}) satisfies z.ZodType<TextConfig>;

/** Made from the method's settings; without a name it is Crane's. */
const method = z.looseObject({ name: z.string().optional() }).transform((given, context): MethodOptions => {
  const { name = k_unnamed, ...fields } = given;
  if (!methodNames().includes(name)) {
    context.addIssue({ code: 'custom', path: ['name'], message: `there is no method "${name}"` });
    return z.NEVER;
  }
  const descriptor = findMethod(name);
  const checked = schemaOf(descriptor).safeParse(fields);
  if (!checked.success) {
    for (const { path, message } of checked.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  }
  return methodFrom(descriptor, (setting, spec) =>
    settingOf(checked.data as unknown as MethodOptions, setting, spec),
  );
});

/** A complete method as a file names it; undefined where it is none. */
export function checkedMethod(given: unknown): MethodOptions | undefined {
  return method.safeParse(given).data;
}

function schemaOf({ settings }: MethodDescriptor): z.ZodType {
  const fields: Record<string, z.ZodType> = {};
  const compat: Record<string, z.ZodType> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const stored = setting.stored ?? name;
    const schema = setting.absent === undefined ? valueSchema(setting) : valueSchema(setting).optional();
    if (stored.startsWith('compat.')) compat[stored.slice('compat.'.length)] = schema;
    else fields[stored] = schema;
  }
  return z.strictObject(
    Object.keys(compat).length > 0 ? { ...fields, compat: z.strictObject(compat) } : fields,
  );
}

function valueSchema(setting: Setting): z.ZodType {
  switch (setting.kind) {
    case 'flag':
      return z.boolean();
    case 'choice':
      return z.enum([...setting.values]);
    case 'integer':
      return z.int().min(setting.min).max(setting.max);
    case 'number':
      return z.number().min(setting.min).max(setting.max);
    case 'integers':
      return z
        .array(z.int().min(setting.min))
        .min(setting.entries ?? 0)
        .max(setting.most ?? Number.POSITIVE_INFINITY);
  }
}

const promptSet = z.strictObject({
  file: localFile,
  sha256,
  /** data sets whose pictures the prompts were learned on; every report names them */
  learnedOn: z.array(z.string().min(1)),
  /** that it was learned for, where it is not the model's own */
  method: z.string().optional(),
  /** the sentences whose words were learned, where the method has such */
  normal: z.string().min(1).optional(),
  anomalous: z.string().min(1).optional(),
});

/** How pictures are compared with a bank, of the methods that do. */
const { topShare, neighbours, sigma } = normals.settings;
const { promptMapWeight, promptScoreWeight, promptLeastSpread } = both.settings;
const scoringWithBank = {
  topShare: valueSchema(topShare) as z.ZodType<number>,
  neighbours: valueSchema(neighbours) as z.ZodType<number>,
  sigma: valueSchema(sigma) as z.ZodType<number>,
  promptMapWeight: valueSchema(promptMapWeight) as z.ZodType<number>,
  promptScoreWeight: valueSchema(promptScoreWeight) as z.ZodType<number>,
  promptLeastSpread: valueSchema(promptLeastSpread) as z.ZodType<number>,
};

const pointsInterval = z.tuple([z.number(), z.number()]);

/** What a precision other than float32 changed where it was measured (scripts/compare-precision.mjs), and was found harmless. */
const shownHarmless = z
  .strictObject({
    dataSets: z.array(z.string().min(1)).min(1),
    pictures: positiveInt,
    draws: positiveInt,
    imagePoints: pointsInterval,
    pixelPoints: pointsInterval,
    kendallTau: z.number().max(1),
    /** between scores of the same picture */
    scoreDifference: z.strictObject({ median: z.number(), p95: z.number(), max: z.number() }),
  })
  .superRefine((effect, context) => {
    for (const message of objectionsTo(effect)) context.addIssue({ code: 'custom', message });
  });

const modelSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9+._-]*$/, 'expected lower-case letters, digits, "+", ".", "_", "-"'),
    version: z.string().min(1),
    description: z.string(),
    licence: z.string(),
    weights: z.array(weightFile).min(1),
    recipes: recipesSchema.optional(),
    source: z.strictObject({ weights: weightFile, tower }).optional(),
    input: z.strictObject({ width: positiveInt, height: positiveInt }),
    vision: tower,
    text,
    /** what was learned beforehand; absent for a method that learns nothing */
    prompts: z
      .strictObject({ default: z.string().min(1).optional(), sets: z.record(z.string().min(1), promptSet) })
      .default({ sets: {} }),
    method,
    /** how prompts for this model are learned best, where it is not as usual */
    training: z.strictObject({ imageLossWeight: z.number().min(0) }).optional(),
    /** what a bank of normal pictures holds best, and how pictures are compared with it, where it is not as usual (docs/normals.md) */
    normals: z
      .strictObject({
        tower: z.enum(['vision', 'source']),
        blocks: z.array(positiveInt),
        turns: positiveInt,
        mirror: z.boolean(),
        kind: z.enum(['nearest', 'subspace']),
        variance: z.number().gt(0).lt(1),
        precision: z.enum(['float32', 'float16', 'bfloat16']),
        foreground: z.boolean(),
        ...scoringWithBank,
      })
      .partial()
      .optional(),
    threshold: z.number().nullable(),
    mapThreshold: z.number().nullable(),
    /** how thresholds were chosen, and thresholds for other settings than the model's own (`crane-native calibrate`) */
    calibrations: z.array(calibrationSchema).optional(),
    /** what `--precision auto` may take, since its effect on this model was measured and found harmless */
    precisions: z.strictObject({ bfloat16: shownHarmless.optional() }).optional(),
    /** a picture of the folder and the score that every device must give: within `tolerance` in float32 */
    golden: z
      .strictObject({
        picture: localFile,
        score: z.number(),
        tolerance: z.number().positive(),
        tolerances: z
          .strictObject({
            bfloat16: z.number().positive().optional(),
            float16: z.number().positive().optional(),
            int8: z.number().positive().optional(),
          })
          .optional(),
      })
      .optional(),
  })
  .superRefine((model, context) => {
    for (const [path, message] of faultsOf(model)) context.addIssue({ code: 'custom', path, message });
  })
  .refine(({ method, source }) => source !== undefined || !needsSource(method), {
    path: ['method', 'dAttn'],
    message: 'expected false, as the model has no "source"',
  });

/** What fields say together. */
function* faultsOf({
  method: own,
  prompts: { default: chosen, sets },
  threshold,
  mapThreshold,
}: {
  method: MethodOptions;
  prompts: { default?: string | undefined; sets: Record<string, z.infer<typeof promptSet>> };
  threshold: number | null;
  mapThreshold: number | null;
}): Generator<[path: string[], message: string]> {
  const descriptor = methodOf(own);
  if (chosen === undefined ? descriptor.learned?.needed : !Object.hasOwn(sets, chosen))
    yield [['prompts', 'default'], 'expected the name of one of the sets'];
  for (const [name, set] of Object.entries(sets)) {
    const owner = set.method ?? descriptor.name;
    if (!methodNames().includes(owner)) {
      yield [['prompts', 'sets', name, 'method'], `there is no method "${owner}"`];
      continue;
    }
    if (name === chosen && owner !== descriptor.name)
      yield [['prompts', 'default'], `set "${name}" is of method ${owner}`];
    if (!findMethod(owner).learned?.texts) continue;
    for (const side of ['normal', 'anomalous'] as const)
      if (set[side] === undefined) yield [['prompts', 'sets', name, side], 'expected a sentence'];
  }
  const { score, map } = descriptor.ranges(own, false);
  for (const [field, value, [low, high]] of [
    ['threshold', threshold, score],
    ['mapThreshold', mapThreshold, map],
  ] as const) {
    if (value !== null && (value < low || value > high))
      yield [[field], `expected a number from ${low} to ${high}`];
  }
}

export type ModelDescription = z.infer<typeof modelSchema>;
export type PromptSetDescription = z.infer<typeof promptSet>;

export interface Model extends ModelDescription {
  /** absolute; the model's own paths are relative to it */
  folder: string;
  /** of this user, kept apart from the model (user-calibrations.ts) */
  userCalibrations?: Calibration[];
}

/** Absolute path of one of the model's files. */
export function modelFile(model: Model, file: string): string {
  return join(model.folder, file);
}

/** Reads and checks a model.json. @throws CraneError E_MODEL_NOT_FOUND or E_MODEL_JSON, naming the field */
export async function readModelJson(path: string): Promise<Model> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const isMissing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
    throw new CraneError(
      isMissing ? 'E_MODEL_NOT_FOUND' : 'E_MODEL_JSON',
      `${path}: ${isMissing ? 'there is no such file' : cause.message}`,
      { cause },
    );
  });
  return { ...parseModelJson(text, path), folder: dirname(resolve(path)) };
}

/** The schemas pass over this one name without a word, wherever names are free. */
function known(name: string, value: unknown): unknown {
  if (name === '__proto__') throw new CraneError('E_MODEL_JSON', 'there is no field "__proto__"');
  return value;
}

export function parseModelJson(text: string, path: string): ModelDescription {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, known);
  } catch (cause) {
    if (cause instanceof CraneError) throw new CraneError('E_MODEL_JSON', `${path}: ${cause.message}`);
    throw new CraneError('E_MODEL_JSON', `${path}: not JSON (${(cause as Error).message})`, { cause });
  }
  const checked = modelSchema.safeParse(parsed);
  if (checked.success) return checked.data;
  const { issues } = checked.error;
  const shown = issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  const rest = issues.length > 5 ? `; and ${issues.length - 5} more` : '';
  throw new CraneError('E_MODEL_JSON', `${path}: ${shown.join('; ')}${rest}`, {
    hint: 'correct the fields named above',
    cause: checked.error,
  });
}

function staysInside(file: string): boolean {
  const clean = normalize(file);
  return !isAbsolute(file) && !/^[a-z]:|\\|\0/i.test(file) && clean !== '..' && !clean.startsWith(`..${sep}`);
}
