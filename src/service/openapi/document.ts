/** GET /openapi.json: OpenAPI 3.1, from THE table of options, the table of errors and the schemas beside. */
import { requestNames } from '../requests/request-options.js';
import { outputNames } from '../requests/tensors.js';
import { keptPaths } from './kept-paths.js';
import {
  type AnswerShape,
  binary,
  get,
  inPath,
  json,
  k_scoring,
  modelInQuery,
  pictureBodies,
  queryParameters,
  ref,
  responses,
} from './parts.js';
import { errorSchemas, inferenceSchemas, keptSchemas, resultSchemas } from './schemas.js';

const k_headLength = {
  name: 'Inference-Header-Content-Length',
  in: 'header',
  required: false,
  description: 'bytes of the JSON at the beginning of the body',
  schema: { type: 'integer', minimum: 0 },
};

export function openApi(version: string): object {
  const ofModel = (path: string, more: string[]) => {
    const parameters = ['model', ...more].map(inPath);
    const shape: AnswerShape = { errors: ['E_HTTP_NOT_FOUND'], error: 'InferenceError' };
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
          parameters: [...parameters, k_headLength],
          requestBody: {
            required: true,
            description: 'JSON, with binary data behind it where Inference-Header-Content-Length says so',
            content: { ...json(ref('InferenceRequest')), 'application/octet-stream': { schema: binary } },
          },
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
          parameters: queryParameters(requestNames),
          requestBody: {
            required: true,
            content: pictureBodies(requestNames, {}, [], true),
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
            { errors: [...k_scoring, 'E_HTTP_ACCEPT'] },
          ),
        },
      },
      '/v1/models': get('models of this service', ref('Models')),
      '/v1/models/{model}': get('a model', ref('Model'), { errors: ['E_HTTP_NOT_FOUND'] }, [inPath('model')]),
      '/v1/prompts': get(
        'prompt sets of a model',
        ref('Prompts'),
        { errors: ['E_HTTP_NOT_FOUND', 'E_HTTP_TOO_LARGE'] },
        [modelInQuery],
      ),
      ...keptPaths(),
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
      schemas: { ...resultSchemas, ...keptSchemas, ...errorSchemas, ...inferenceSchemas(outputNames) },
    },
  };
}
