/** What the parts of the OpenAPI document share: statuses and their errors, options as parameters, bodies with pictures. */
import { type ErrorCode, errorTable } from '../../errors.js';
import { type OptionSpec, type Schema, textSchemaOf } from '../../options/kinds.js';
import { options } from '../../options/table.js';
import type { OptionName } from '../../options/types.js';
import { specOfRequest } from '../requests/request-options.js';

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: Schema) => ({ 'application/json': { schema } });
export const binary = { type: 'string', contentMediaType: 'application/octet-stream' };

/** Where the words of the table are those of the library. */
const k_words: Partial<Record<OptionName, string>> = {
  model: 'name of a model of this service (GET /v1/models); default: the first',
  prompts: 'name of a prompt set of the model (GET /v1/prompts)',
  calibration: 'name of a calibration (GET /v1/calibrations), whose options and thresholds are taken',
  normals:
    'name of a bank of normal pictures (GET /v1/normals) that is compared with, instead of prompts or beside them (evidence)',
};

/** Statuses that an address may answer with beside 200: those of its own errors, and those that any request may get. */
const k_anywhere: readonly ErrorCode[] = ['E_HTTP_REQUEST', 'E_HTTP_FOREIGN', 'E_HTTP_TIMEOUT', 'E_INTERNAL'];
/** A head of more than 16 KB is answered before anybody knows its address. */
const k_headTooLarge = [431, ['a head above the limits of the service']] as const;
export const k_scoring: readonly ErrorCode[] = [
  'E_HTTP_NOT_FOUND',
  'E_HTTP_TIMEOUT',
  'E_HTTP_TOO_LARGE',
  'E_HTTP_TYPE',
  'E_QUEUE_FULL',
  'E_SERVICE_DOWN',
  'E_DEADLINE',
  'E_HTTP_WAITED',
];

export interface AnswerShape {
  isOpen?: boolean;
  errors?: readonly ErrorCode[];
  error?: string;
  /** of the answer that is no error */
  status?: number;
}

export function responses(
  ok: object,
  { isOpen = false, errors = [], error = 'Error', status: good = 200 }: AnswerShape,
): object {
  const codes = [...k_anywhere, ...(isOpen ? [] : (['E_HTTP_TOKEN'] as const)), ...errors];
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { http, what } = errorTable[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), what]);
  }
  const entries = [...byStatus, k_headTooLarge].sort(([a], [b]) => a - b);
  return {
    [good]: ok,
    ...Object.fromEntries(
      entries.map(([status, whats]) => [
        status,
        {
          description: [...new Set(whats)].join('; '),
          ...(status === 429 || status === 503
            ? { headers: { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } } }
            : {}),
          content: json(ref(error)),
        },
      ]),
    ),
  };
}

function describe(name: OptionName): string {
  return k_words[name] ?? (options[name] as OptionSpec<unknown>).help;
}

export function optionProperties(names: readonly OptionName[]): Record<string, Schema> {
  return Object.fromEntries(
    names.map((name) => {
      const { schema, default: value } = specOfRequest(name);
      return [
        name,
        { ...schema, description: describe(name), ...(value === undefined ? {} : { default: value }) },
      ];
    }),
  );
}

/** In a query and in a form values are texts, written as in the shell. */
export function queryParameters(names: readonly OptionName[]): object[] {
  return Object.entries(textProperties(names)).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema,
  }));
}

function textProperties(names: readonly OptionName[]): Record<string, Schema> {
  return Object.fromEntries(
    names.map((name) => {
      const spec = specOfRequest(name);
      const isOwn = spec.textSchema === undefined;
      const description = isOwn ? describe(name) : `${describe(name)}. ${spec.expected}`;
      return [name, { ...textSchemaOf(spec), description }];
    }),
  );
}

export const get = (
  summary: string,
  schema: Schema | undefined,
  shape: AnswerShape = {},
  parameters: object[] = [],
) => ({
  get: {
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(shape.isOpen ? { security: [] } : {}),
    responses: responses(
      {
        description: summary,
        content: schema ? json(schema) : { 'text/plain': { schema: { type: 'string' } } },
      },
      shape,
    ),
  },
});

export const inPath = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', minLength: 1 },
});
export const modelInQuery = {
  name: 'model',
  in: 'query',
  required: false,
  schema: specOfRequest('model').schema,
};

/**
 * The three ways in which pictures come.
 * @param texts what such a request takes beside options; required: those that it needs; takesMask: a mask of what is ignored
 */
export function pictureBodies(
  names: readonly OptionName[],
  texts: Record<string, Schema> = {},
  required: readonly string[] = [],
  takesMask = false,
): object {
  const words = { description: 'a mask of the size of every picture: what is above 0 is ignored' };
  const mask = (schema: Schema) => (takesMask ? { ignore: { ...schema, ...words } } : {});
  const picture = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      data: { type: 'string', contentEncoding: 'base64', minLength: 1 },
    },
    required: ['data'],
    additionalProperties: false,
  };
  return {
    'image/*': { schema: binary },
    'application/octet-stream': { schema: binary },
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: {
          picture: { type: 'array', items: binary, minItems: 1 },
          ...mask(binary),
          ...texts,
          ...textProperties(names),
        },
        required: ['picture', ...required],
      },
    },
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          pictures: { type: 'array', items: picture, minItems: 1 },
          ...mask({ type: 'string', contentEncoding: 'base64', minLength: 1 }),
          ...texts,
          ...optionProperties(names),
        },
        required: ['pictures', ...required],
        additionalProperties: false,
      },
    },
  };
}

/** As pictureBodies(), with what each picture shows. */
export function labelledBodies(names: readonly OptionName[], texts: Record<string, Schema>): object {
  const files = { type: 'array', items: binary };
  const picture = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      data: { type: 'string', contentEncoding: 'base64', minLength: 1 },
      label: { type: 'string', enum: ['good', 'bad'] },
    },
    required: ['data', 'label'],
    additionalProperties: false,
  };
  return {
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: { good: { ...files, minItems: 1 }, bad: files, ...texts, ...textProperties(names) },
        required: ['good'],
      },
    },
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          pictures: { type: 'array', items: picture, minItems: 1 },
          ...texts,
          ...optionProperties(names),
        },
        required: ['pictures'],
        additionalProperties: false,
      },
    },
  };
}
