/**
 * The kinds of option: each knows its values from the shell (text) and from JavaScript, and says what it expects.
 * The kinds hold no option: those stand in the files beside.
 */
/** http: of one request, by names and never by paths; serve: the operator's, by flag and configuration file */
export type OptionScope = 'cli' | 'library' | 'http' | 'serve';
export type OptionGroup =
  | 'Engine'
  | 'Method'
  | 'Compatibility'
  | 'Picture'
  | 'Queue'
  | 'Normals'
  | 'Service'
  | 'Watching'
  | 'Inputs'
  | 'Data sets'
  | 'Output'
  | 'Training'
  | 'Calibration'
  | 'Testing'
  | 'Benchmark'
  | 'Index'
  | 'Weights'
  | 'Work'
  | 'Plan'
  | 'Assumptions'
  | 'Building';
export type LibraryCall =
  | 'loadEngine'
  | 'score'
  | 'scoreMany'
  | 'scorePreprocessed'
  | 'learnNormals'
  | 'heatMap'
  | 'openDataSet'
  | 'createTrainer'
  | 'evaluateDataSets'
  | 'calibrate';

/** What an entry of the table says besides its kind. */
interface Described<T> {
  help: string;
  group: OptionGroup;
  scope: readonly OptionScope[];
  /** library functions that take it */
  calls?: readonly LibraryCall[];
  /** the value when nothing is given; leave out when it comes from elsewhere and name that in defaultText */
  default?: T;
  defaultText?: string;
}

/** A schema of JSON Schema 2020-12, for OpenAPI. */
export type Schema = { readonly [keyword: string]: unknown };

export interface OptionSpec<T> extends Described<T> {
  isFlag: boolean;
  /** of the value in JSON */
  schema: Schema;
  /** of the value as text, in a query or a form; absent: the text of a value that `schema` describes */
  textSchema?: Schema;
  /** completes "Expected ... for NAME" */
  expected: string;
  /** from a flag's text; undefined when it is not acceptable */
  read(text: string): T | undefined;
  accepts(value: unknown): value is T;
}

/** Of what a query or a form may say. */
export function textSchemaOf({ schema, textSchema }: OptionSpec<unknown>): Schema {
  return textSchema ?? schema;
}

export function text(described: Described<string>): OptionSpec<string> {
  return {
    ...described,
    isFlag: false,
    schema: { type: 'string', minLength: 1 },
    expected: 'a non-empty string',
    read: (value) => (value === '' ? undefined : value),
    accepts: (value): value is string => typeof value === 'string' && value !== '',
  };
}

export function flag(described: Described<boolean>): OptionSpec<boolean> {
  return {
    ...described,
    isFlag: true,
    schema: { type: 'boolean' },
    expected: 'true or false',
    read: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
    accepts: (value): value is boolean => typeof value === 'boolean',
  };
}

export function choice<const T extends string>(values: readonly T[], described: Described<T>): OptionSpec<T> {
  const accepts = (value: unknown): value is T => (values as readonly unknown[]).includes(value);
  return {
    ...described,
    isFlag: false,
    schema: { type: 'string', enum: values },
    expected: `one of ${values.join(', ')}`,
    read: (value) => (accepts(value) ? value : undefined),
    accepts,
  };
}

interface Range {
  min: number;
  max?: number;
  /** the bounds themselves are refused; low: that below alone */
  open?: boolean | 'low';
}

export function num(described: Described<number> & Range): OptionSpec<number> {
  const { min, max = Number.POSITIVE_INFINITY, open = false } = described;
  const accepts = (value: unknown): value is number =>
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (open ? value > min : value >= min) &&
    (open === true ? value < max : value <= max);
  const range = open
    ? open === 'low' && Number.isFinite(max)
      ? `above ${min}, at most ${max}`
      : Number.isFinite(max)
        ? `between ${min} and ${max}, both excluded`
        : `above ${min}`
    : Number.isFinite(max)
      ? `from ${min} to ${max}`
      : `of at least ${min}`;
  return {
    ...described,
    isFlag: false,
    schema: {
      type: 'number',
      ...(open ? { exclusiveMinimum: min } : { minimum: min }),
      ...(Number.isFinite(max) ? (open === true ? { exclusiveMaximum: max } : { maximum: max }) : {}),
    },
    expected: `a number ${range}`,
    accepts,
    read: reader(toNumber, accepts),
  };
}

export function int(described: Described<number> & Range): OptionSpec<number> {
  const { min, max = Number.MAX_SAFE_INTEGER } = described;
  const accepts = (value: unknown): value is number =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return {
    ...described,
    isFlag: false,
    schema: { type: 'integer', minimum: min, maximum: max },
    expected: `a whole number ${range}`,
    accepts,
    read: reader(toNumber, accepts),
  };
}

/** An option that also has a word for "none": null in JavaScript, `none` in the shell. */
export function orNone<T>(spec: OptionSpec<T>): OptionSpec<T | null> {
  return {
    ...spec,
    schema: { anyOf: [spec.schema, { type: 'null' }] },
    textSchema: { anyOf: [textSchemaOf(spec), { type: 'string', const: 'none' }] },
    expected: `${spec.expected}, or none (null)`,
    read: (value) => (value === 'none' ? null : spec.read(value)),
    accepts: (value): value is T | null => value === null || spec.accepts(value),
  };
}

/** An option that also takes one word, for instance 'auto'. */
export function orWord<T, const W extends string>(
  word: W,
  spec: OptionSpec<T>,
  fallback: W,
): OptionSpec<T | W> {
  return {
    ...spec,
    default: fallback,
    schema: { anyOf: [{ type: 'string', const: word }, spec.schema] },
    textSchema: { anyOf: [{ type: 'string', const: word }, textSchemaOf(spec)] },
    expected: `${spec.expected}, or ${word}`,
    read: (value) => (value === word ? word : spec.read(value)),
    accepts: (value): value is T | W => value === word || spec.accepts(value),
  };
}

/** A hole is an entry that is undefined: the array's own `every` passes it by. */
export function isListOf<T>(value: unknown, isEntry: (entry: unknown) => entry is T): value is T[] {
  return Array.isArray(value) && Array.from<unknown>(value).every(isEntry);
}

/** A list of whole numbers, at most `most`: 6,12,18,24 in the shell; none is the empty list. */
export function integers(
  described: Described<number[]> & { min: number; most?: number },
): OptionSpec<number[]> {
  const { min, most } = described;
  const isEntry = (entry: unknown): entry is number =>
    Number.isSafeInteger(entry) && (entry as number) >= min && (entry as number) <= k_mostInText;
  const accepts = (value: unknown): value is number[] =>
    isListOf(value, isEntry) && value.length <= (most ?? Number.POSITIVE_INFINITY);
  const digits = min > 0 ? '[1-9]\\d{0,8}' : '(?:0|[1-9]\\d{0,8})';
  const further = most === undefined ? '*' : `{0,${most - 1}}`;
  const pattern = `^(?:none|${digits}(?:,${digits})${further})$`;
  const isText = new RegExp(pattern);
  return {
    ...described,
    isFlag: false,
    schema: {
      type: 'array',
      ...(most === undefined ? {} : { maxItems: most }),
      items: { type: 'integer', minimum: min, maximum: k_mostInText },
    },
    textSchema: { type: 'string', pattern },
    expected: `${most === undefined ? '' : `at most ${most} `}whole numbers of at least ${min}, for instance 6,12,18,24`,
    accepts,
    read: (value) => {
      if (!isText.test(value)) return undefined;
      const list = value === 'none' ? [] : value.split(',').map(toNumber);
      return accepts(list) ? list : undefined;
    },
  };
}

/** A list of names: a,b,c in the shell; none is the empty list. */
export function words(described: Described<string[]>): OptionSpec<string[]> {
  const accepts = (value: unknown): value is string[] =>
    isListOf(value, (entry): entry is string => typeof entry === 'string' && entry !== '');
  return {
    ...described,
    isFlag: false,
    schema: { type: 'array', items: { type: 'string', minLength: 1 } },
    textSchema: { type: 'string', pattern: '^\\s*[^,\\s][^,]*(?:,\\s*[^,\\s][^,]*)*$' },
    expected: 'names with commas between them, or none',
    accepts,
    read: (value) => {
      const list = value === 'none' ? [] : value.split(',').map((word) => word.trim());
      return accepts(list) ? list : undefined;
    },
  };
}

/** What `LOW,HIGH` is in JSON. */
export const lowAndHigh: Schema = {
  type: 'object',
  properties: { low: { type: 'number' }, high: { type: 'number' } },
  required: ['low', 'high'],
};

/** One thing written `left<separator>right` in the shell and an object in JavaScript. */
export function pair<T>(
  described: Described<T> & {
    expected: string;
    pattern: RegExp;
    schema: Schema;
    make(left: number, right: number): T;
    accepts(value: unknown): value is T;
  },
): OptionSpec<T> {
  const { pattern, make, ...rest } = described;
  return {
    ...rest,
    isFlag: false,
    textSchema: { type: 'string', pattern: pattern.source },
    read: (value) => {
      const match = pattern.exec(value);
      if (!match) return undefined;
      const made = make(toNumber(match[1] ?? ''), toNumber(match[2] ?? match[1] ?? ''));
      return described.accepts(made) ? made : undefined;
    },
  };
}

/** A rectangle, X,Y,WIDTH,HEIGHT in the shell. */
export function rectangle(described: Described<Rectangle>): OptionSpec<Rectangle> {
  const accepts = (value: unknown): value is Rectangle => {
    const { x, y, width, height } = (value ?? {}) as Rectangle;
    const isPlace = [x, y].every((side) => Number.isSafeInteger(side) && side >= 0 && side <= k_mostPixels);
    return (
      isPlace &&
      [width, height].every((side) => Number.isSafeInteger(side) && side > 0 && side <= k_mostPixels)
    );
  };
  const place = { type: 'integer', minimum: 0, maximum: k_mostPixels } as const;
  const side = { type: 'integer', minimum: 1, maximum: k_mostPixels } as const;
  return {
    ...described,
    isFlag: false,
    expected: 'X,Y,WIDTH,HEIGHT in whole pixels',
    schema: {
      type: 'object',
      properties: { x: place, y: place, width: side, height: side },
      required: ['x', 'y', 'width', 'height'],
    },
    textSchema: { type: 'string', pattern: k_rectangle.source },
    accepts,
    read: (value) => {
      if (!k_rectangle.test(value)) return undefined;
      const [x, y, width, height] = value.split(',').map(Number) as [number, number, number, number];
      const made = { x, y, width, height };
      return accepts(made) ? made : undefined;
    },
  };
}

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Of whole numbers in lists: nine digits, which a pattern says too. */
const k_mostInText = 999_999_999;
const k_mostPixels = k_mostInText;
const k_rectangle = /^\d{1,9},\d{1,9},0{0,8}[1-9]\d{0,8},0{0,8}[1-9]\d{0,8}$/;

/** As people write numbers: Number() also takes '', ' ' and 0x10. Digits can be matched in one way only, so that long texts take no time. */
function toNumber(value: string): number {
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
}

function reader<T>(convert: (text: string) => unknown, accepts: (value: unknown) => value is T) {
  return (value: string): T | undefined => {
    const converted = convert(value);
    return accepts(converted) ? converted : undefined;
  };
}
