/** GET /openapi.json: OpenAPI 3.1, from THE table of options, the table of errors and the schemas beside. */
import { type ErrorCode, errorTable } from '../errors.js';
import type { OptionSpec, Schema } from '../options/kinds.js';
import { options } from '../options/table.js';
import type { OptionName } from '../options/types.js';
import { errorSchemas, inferenceSchemas, resultSchemas } from './openapi-schemas.js';
import { requestNames } from './requests/request-options.js';
import { outputNames } from './requests/tensors.js';

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Schema) => ({ 'application/json': { schema } });
const binary = { type: 'string', contentMediaType: 'application/octet-stream' };

/** Where the words of the table are those of the library. */
const k_words: Partial<Record<OptionName, string>> = {
  model: 'name of a model of this service (GET /v1/models); default: the first',
  prompts: 'name of a prompt set of the model (GET /v1/prompts)',
};

/** Statuses that an address may answer with beside 200: those of its own errors, and those that any request may get. */
const k_anywhere: readonly ErrorCode[] = ['E_HTTP_REQUEST', 'E_HTTP_FOREIGN', 'E_INTERNAL'];
const k_scoring: readonly ErrorCode[] = [
  'E_HTTP_NOT_FOUND',
  'E_HTTP_ACCEPT',
  'E_HTTP_TIMEOUT',
  'E_HTTP_TOO_LARGE',
  'E_HTTP_TYPE',
  'E_QUEUE_FULL',
  'E_SERVICE_DOWN',
  'E_DEADLINE',
];

interface Shape {
  isOpen?: boolean;
  errors?: readonly ErrorCode[];
  error?: string;
}

function responses(ok: object, { isOpen = false, errors = [], error = 'Error' }: Shape): object {
  const codes = [...k_anywhere, ...(isOpen ? [] : (['E_HTTP_TOKEN'] as const)), ...errors];
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { http, what } = errorTable[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), what]);
  }
  const entries = [...byStatus].sort(([a], [b]) => a - b);
  return {
    200: ok,
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

function optionProperties(): Record<string, Schema> {
  return Object.fromEntries(
    requestNames.map((name) => {
      const { schema, default: value } = options[name] as OptionSpec<unknown>;
      return [
        name,
        { ...schema, description: describe(name), ...(value === undefined ? {} : { default: value }) },
      ];
    }),
  );
}

/** In a query values are texts, written as in the shell; what is no single number, word or flag is just a text. */
function queryParameters(): object[] {
  return requestNames.map((name) => {
    const { schema, expected } = options[name] as OptionSpec<unknown>;
    const isPlain = typeof schema['type'] === 'string' && !['object', 'array'].includes(schema['type']);
    return {
      name,
      in: 'query',
      required: false,
      description: isPlain ? describe(name) : `${describe(name)}. ${expected}`,
      schema: isPlain ? schema : { type: 'string', minLength: 1 },
    };
  });
}

const get = (summary: string, schema: Schema | undefined, shape: Shape = {}, parameters: object[] = []) => ({
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

const inPath = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', minLength: 1 },
});
const modelInQuery = {
  name: 'model',
  in: 'query',
  required: false,
  schema: { type: 'string', minLength: 1 },
};

export function openApi(version: string): object {
  const choices = optionProperties();
  const picture = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      data: { type: 'string', contentEncoding: 'base64', minLength: 1 },
    },
    required: ['data'],
    additionalProperties: false,
  };
  const ofModel = (path: string, more: string[]) => {
    const parameters = ['model', ...more].map(inPath);
    const shape: Shape = { errors: ['E_HTTP_NOT_FOUND'], error: 'InferenceError' };
    return {
      [path]: get('inputs and outputs of a model', ref('InferenceModel'), shape, parameters),
      [`${path}/ready`]: get(
        'whether a model takes pictures',
        { type: 'object', properties: { name: { type: 'string' }, ready: { type: 'boolean' } } },
        { ...shape, errors: ['E_HTTP_NOT_FOUND', 'E_SERVICE_DOWN'] },
        parameters,
      ),
      [`${path}/infer`]: {
        post: {
          summary: 'score pictures given as tensors',
          parameters,
          requestBody: { required: true, content: json(ref('InferenceRequest')) },
          responses: responses(
            {
              description: 'tensors',
              content: { ...json(ref('InferenceResponse')), 'application/octet-stream': { schema: binary } },
            },
            { errors: k_scoring, error: 'InferenceError' },
          ),
        },
      },
    };
  };
  return {
    openapi: '3.1.0',
    info: { title: 'crane-native', version, description: 'Scores pictures for defects.' },
    security: [{}, { token: [] }],
    paths: {
      '/v1/score': {
        post: {
          summary: 'score pictures',
          parameters: queryParameters(),
          requestBody: {
            required: true,
            content: {
              'image/*': { schema: binary },
              'application/octet-stream': { schema: binary },
              'multipart/form-data': {
                schema: {
                  type: 'object',
                  properties: { picture: { type: 'array', items: binary, minItems: 1 } },
                  required: ['picture'],
                },
              },
              'application/json': {
                schema: {
                  type: 'object',
                  properties: { pictures: { type: 'array', items: picture, minItems: 1 }, ...choices },
                  required: ['pictures'],
                  additionalProperties: false,
                },
              },
            },
          },
          responses: responses(
            {
              description: 'a result for a raw picture; else a list of them',
              headers: {
                'Crane-Score': { description: 'with image/png', schema: { type: 'string' } },
                'Crane-Anomalous': { description: 'with image/png', schema: { type: 'string' } },
              },
              content: {
                ...json({ anyOf: [ref('Result'), ref('Results')] }),
                'application/x-ndjson': { schema: { type: 'string' } },
                'application/jsonl': { schema: { type: 'string' } },
                'image/png': { schema: binary },
              },
            },
            { errors: k_scoring },
          ),
        },
      },
      '/v1/models': get('models of this service', ref('Models')),
      '/v1/models/{model}': get('a model', ref('Model'), { errors: ['E_HTTP_NOT_FOUND'] }, [inPath('model')]),
      '/v1/prompts': get('prompt sets of a model', ref('Prompts'), { errors: ['E_HTTP_NOT_FOUND'] }, [
        modelInQuery,
      ]),
      '/healthz': get('the process lives', ref('Status'), { isOpen: true }),
      '/readyz': get('pictures are taken', ref('Status'), { isOpen: true, errors: ['E_SERVICE_DOWN'] }),
      '/metrics': get('figures for Prometheus', undefined),
      '/openapi.json': get('this document', { type: 'object' }),
      '/v2': get('the server, for the Open Inference Protocol', ref('InferenceServer'), {
        error: 'InferenceError',
      }),
      '/v2/health/live': get(
        'the process lives',
        { type: 'object' },
        { isOpen: true, error: 'InferenceError' },
      ),
      '/v2/health/ready': get(
        'pictures are taken',
        { type: 'object' },
        { isOpen: true, errors: ['E_SERVICE_DOWN'], error: 'InferenceError' },
      ),
      ...ofModel('/v2/models/{model}', []),
      ...ofModel('/v2/models/{model}/versions/{version}', ['version']),
    },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { ...resultSchemas, ...errorSchemas, ...inferenceSchemas(outputNames) },
    },
  };
}
