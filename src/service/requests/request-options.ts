/** What a request may choose: the options of scope `http` in THE table, as text (query, form fields) or as JSON. */
import { CraneError } from '../../errors.js';
import { nearestName } from '../../nearest-name.js';
import { wrongValue } from '../../options/check.js';
import { num, type OptionSpec } from '../../options/kinds.js';
import { findOption, optionNames, options } from '../../options/table.js';
import type { AllOptions, OptionName } from '../../options/types.js';

const ofRequests = optionNames.filter((name) => (options[name].scope as readonly string[]).includes('http'));
const isOfLearning = (name: OptionName) =>
  ((options[name] as OptionSpec<unknown>).calls ?? []).includes('learnNormals');

const isOfScoring = (name: OptionName) =>
  !isOfLearning(name) || ((options[name] as OptionSpec<unknown>).calls ?? []).includes('score');

/** Of requests that score. */
export const requestNames: readonly OptionName[] = ofRequests.filter(isOfScoring);
const ofOneAnswer: readonly OptionName[] = [
  'roi',
  'threshold',
  'mapThreshold',
  'map',
  'mapType',
  'regions',
  'heatmap',
  'heatmapRange',
  'deadlineMs',
  'calibration',
];
/** What the Open Inference Protocol asks for by outputs. */
export const outputOptions: readonly OptionName[] = ['map', 'mapType', 'regions', 'heatmap', 'heatmapRange'];
/** Of requests that choose thresholds. */
export const calibrateNames: readonly OptionName[] = requestNames.filter(
  (name) => !ofOneAnswer.includes(name),
);
/** Of requests that add a bank of normal pictures. */
export const learnNames: readonly OptionName[] = ofRequests.filter(
  (name) => name === 'model' || isOfLearning(name),
);

export type RequestChoices = Partial<AllOptions>;

/** What a client may not say as freely as an operator. The blur of a map in tiles, of millions of pixels, takes its time by sigma. */
const narrower: Partial<Record<OptionName, OptionSpec<unknown>>> = {
  sigma: num({ ...(options.sigma as OptionSpec<number>), min: 0, max: 100 }) as OptionSpec<unknown>,
};

/** Of one option: nobody writes more, and what reads texts (a class name's tokens) takes time by more than their length. */
export const k_maxChoice = 4096;

/** An option as requests take it. */
export function specOfRequest(name: OptionName): OptionSpec<unknown> {
  const spec = narrower[name] ?? (options[name] as OptionSpec<unknown>);
  const { type, enum: isListed } = spec.schema;
  return type === 'string' && !isListed
    ? { ...spec, schema: { ...spec.schema, maxLength: k_maxChoice } }
    : spec;
}

/** Values given once, wherever: a second one is an error, since nobody could say which was meant. */
export class ChoicesReader {
  readonly choices: RequestChoices = {};
  /** what such requests take beside options: texts by their names */
  readonly texts: Record<string, string> = {};
  readonly #names: readonly OptionName[];
  readonly #textNames: readonly string[];

  constructor(names: readonly OptionName[] = requestNames, textNames: readonly string[] = []) {
    this.#names = names;
    this.#textNames = textNames;
  }

  /** @throws CraneError E_HTTP_REQUEST, E_USAGE */
  takeText(name: string, text: string): void {
    checkSize(name, text);
    if (this.#textNames.includes(name)) {
      this.#set(this.texts, name, text);
      return;
    }
    const spec = this.#specOf(name);
    const value = spec.read(text);
    if (value === undefined) throw wrongValue(spec.expected, name, text);
    this.#set(this.choices, name, value);
  }

  /** @throws CraneError E_HTTP_REQUEST, E_USAGE */
  takeJson(name: string, value: unknown): void {
    checkSize(name, value);
    if (this.#textNames.includes(name)) {
      if (typeof value !== 'string') throw wrongValue('a string', name, value);
      this.#set(this.texts, name, value);
      return;
    }
    const spec = this.#specOf(name);
    if (!spec.accepts(value)) throw wrongValue(spec.expected, name, value);
    this.#set(this.choices, name, value);
  }

  /** @throws CraneError E_HTTP_REQUEST, E_USAGE */
  takeQuery(query: string): void {
    for (const [name, text] of new URLSearchParams(query)) this.takeText(name, text);
  }

  #specOf(name: string): OptionSpec<unknown> {
    const known = [...this.#textNames, ...this.#names];
    if (findOption(name) && known.includes(name)) return specOfRequest(name as OptionName);
    const nearest = nearestName(name, known);
    throw new CraneError('E_USAGE', `a request takes no option ${JSON.stringify(name.slice(0, 80))}`, {
      hint: nearest ? `did you mean "${nearest}"?` : `it takes ${known.join(', ')}`,
    });
  }

  #set(into: object, name: string, value: unknown): void {
    if (Object.hasOwn(into, name))
      throw new CraneError('E_HTTP_REQUEST', `the option "${name}" is given twice`);
    (into as Record<string, unknown>)[name] = value;
  }
}

/** Looks at no more than the limit: each letter and each entry, at whatever depth, counts as one. @throws CraneError E_USAGE */
function checkSize(name: string, value: unknown): void {
  let left = k_maxChoice;
  const open = [value];
  while (open.length > 0 && left >= 0) {
    const one = open.pop();
    if (typeof one === 'string') left -= one.length;
    else if (Array.isArray(one)) {
      left -= one.length;
      if (left >= 0) open.push(...one);
    } else if (typeof one === 'object' && one !== null) {
      for (const key in one) {
        left -= key.length + 1;
        if (left < 0) break;
        open.push((one as Record<string, unknown>)[key]);
      }
    }
  }
  if (left >= 0) return;
  throw new CraneError(
    'E_USAGE',
    `the option ${JSON.stringify(name.slice(0, 80))} is longer than ${k_maxChoice} characters`,
  );
}
