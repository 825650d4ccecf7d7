/** Flags of the shell made from THE table of options, and read back into options. */
import type { Options } from 'yargs';
import { CraneError } from '../errors.js';
import type { OptionGroup, OptionSpec } from '../options/kinds.js';
import { flagName, optionNames, options } from '../options/table.js';
import type {
  AllOptions,
  CalibrateChoices,
  DataChoices,
  EngineOptions,
  LearnNormalsChoices,
  OptionName,
  PictureChoices,
  TestChoices,
  TrainChoices,
} from '../options/types.js';

/** Names of all shell options of these groups, in the table's order. */
export function optionsIn(...groups: OptionGroup[]): OptionName[] {
  return optionNames.filter(
    (name) => options[name].scope.includes('cli' as never) && groups.includes(options[name].group),
  );
}

/**
 * Values stay text until readFlags: one place checks them and says what was expected.
 * @param words what an option means for this command, where that is less than the table says
 */
export function flagsFor(
  names: readonly OptionName[],
  words: { readonly [K in OptionName]?: Pick<Options, 'describe' | 'defaultDescription'> } = {},
): Record<string, Options> {
  return Object.fromEntries(
    names.map((name) => [
      flagName(name),
      { ...yargsOption(options[name] as OptionSpec<unknown>), ...words[name] },
    ]),
  );
}

function yargsOption(spec: OptionSpec<unknown>): Options {
  const shownDefault = spec.defaultText ?? (spec.default === undefined ? undefined : String(spec.default));
  const choices = /^one of (.*)$/.exec(spec.expected)?.[1];
  return {
    ...(spec.isFlag ? { type: 'boolean' as const } : { requiresArg: true }),
    describe: choices ? `${spec.help} (${choices})` : spec.help,
    group: `${spec.group}:`,
    ...(shownDefault === undefined || shownDefault === 'false' ? {} : { defaultDescription: shownDefault }),
  };
}

/** @throws CraneError E_USAGE, naming flag, value and what was expected */
export function readFlags<K extends OptionName>(
  argv: Record<string, unknown>,
  names: readonly K[],
): Partial<Pick<AllOptions, K>> {
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const given = lastOf(argv[flagName(name)]);
    const spec = options[name] as OptionSpec<unknown>;
    if (given === undefined) {
      // What the publication's code does (--compare-paper) gives way to what is given: a default is not.
      if (spec.default !== undefined && !name.startsWith('compat.')) values[name] = spec.default;
      continue;
    }
    const value = spec.read(String(given));
    if (value === undefined) {
      throw new CraneError(
        'E_USAGE',
        `Expected ${spec.expected} for --${flagName(name)} but received "${String(given)}"`,
      );
    }
    values[name] = value;
  }
  return values as Partial<Pick<AllOptions, K>>;
}

/**
 * A flag that may be given more than once, with `separator` also several values at once. Each is checked as one value.
 * @returns undefined when it was not given. @throws CraneError E_USAGE
 */
export function readList<K extends OptionName>(
  argv: Record<string, unknown>,
  name: K,
  separator?: string,
): AllOptions[K][] | undefined {
  const given = argv[flagName(name)];
  if (given === undefined) return undefined;
  const parts = [given].flat().flatMap((text) => (separator ? String(text).split(separator) : [text]));
  return parts.map((part) => readFlags({ [flagName(name)]: part }, [name])[name] as AllOptions[K]);
}

/** A flag given twice: the last one counts. */
function lastOf(given: unknown): unknown {
  return Array.isArray(given) ? given.at(-1) : given;
}

/** How data sets are read, as far as it was said. */
export function readingOf(values: Partial<AllOptions>): DataChoices {
  const names = optionsIn('Data sets') as (keyof DataChoices)[];
  return Object.fromEntries(
    names.map((name) => [name, values[name]]).filter(([, value]) => value !== undefined),
  );
}

/** What the library calls that commands make take of the table. */
interface CallOptions {
  loadEngine: EngineOptions;
  learnNormals: LearnNormalsChoices & Pick<PictureChoices, 'evidence'>;
  createTrainer: TrainChoices;
  evaluateDataSets: TestChoices & PictureChoices;
  calibrate: CalibrateChoices;
}

/**
 * What the engine is loaded with: with --normals-from thresholds are for its calls, since what they may be follows the normal
 * pictures.
 */
export function engineOptions(values: Partial<AllOptions>): EngineOptions {
  const all = optionsFor('loadEngine', values);
  if (values.normalsFrom === undefined) return all;
  const { threshold: _, mapThreshold: __, ...rest } = all;
  return rest;
}

/** How a bank is learned; what it is for the engine was loaded with. */
export function learningOptions(values: Partial<AllOptions>): LearnNormalsChoices {
  const { evidence: _, ...learning } = optionsFor('learnNormals', values);
  return learning;
}

/** Of all that was given, what this call takes, in the library's form, where compat is an object. */
export function optionsFor<C extends keyof CallOptions>(
  call: C,
  values: Partial<AllOptions>,
): CallOptions[C] {
  const taken: Record<string, unknown> = {};
  const compat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const { calls } = options[name as OptionName] as OptionSpec<unknown>;
    if (!calls?.includes(call)) continue;
    if (name.startsWith('compat.')) compat[name.slice('compat.'.length)] = value;
    else taken[name] = value;
  }
  return { ...taken, ...(Object.keys(compat).length > 0 ? { compat } : {}) } as CallOptions[C];
}
