/** Schemas of what the service answers. Tests hold real answers against them. */
import { errorTable } from '../../errors.js';
import type { Schema } from '../../options/kinds.js';

const number = { type: 'number' };
const whole = { type: 'integer', minimum: 0 };
const text = { type: 'string' };
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const object = (properties: Record<string, Schema>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
const list = (items: Schema): Schema => ({ type: 'array', items });
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const inBase64 = { type: 'string', contentEncoding: 'base64' };

const toldError = object(
  { code: { type: 'string', enum: Object.keys(errorTable) }, message: text, hint: text },
  ['hint'],
);
const model = {
  name: text,
  model: { type: 'string', description: 'name and hash of all that decides a score, as in results' },
  description: text,
  licence: text,
  version: text,
  method: text,
  defaultPrompts: { ...orNull(text), description: 'null: nothing of the method is learned' },
  threshold: orNull(number),
  mapThreshold: orNull(number),
  input: object({ width: whole, height: whole }),
  device: text,
  precision: text,
  prompts: list(text),
};

export const errorSchemas: Record<string, Schema> = {
  ToldError: toldError,
  Error: object({ error: ref('ToldError'), requestId: text }),
  InferenceError: object({ error: text }),
};

const bank = {
  name: text,
  bytes: whole,
  model: { type: 'string', description: 'as this service calls it' },
  created: text,
  tower: { type: 'string', enum: ['vision', 'source'] },
  blocks: list(whole),
  turns: whole,
  mirror: { type: 'boolean' },
  evidence: { type: 'string', enum: ['normals', 'both'], description: 'both: it can stand beside prompts' },
  kind: { type: 'string', enum: ['subspace'], description: 'absent: a bank of all patches' },
  variance: { type: 'number', description: 'of a subspace: share of the variance that its axes hold' },
  size: { ...whole, description: 'rows that were chosen to stand for all; absent: it has all' },
  foreground: {
    type: 'boolean',
    const: true,
    description: 'patches of a plain background are left out; absent: pictures are compared whole',
  },
  precision: { type: 'string', enum: ['float16', 'bfloat16'], description: 'absent: float32' },
};
const ofSomeBanks = ['kind', 'variance', 'size', 'foreground', 'precision'];

const threshold = { type: 'object', properties: { threshold: number }, required: ['threshold'] };
const calibration = object({
  name: text,
  bytes: whole,
  model: { type: 'string', description: 'as this service calls it' },
  created: text,
  options: { type: 'object', description: 'taken with the thresholds' },
  normals: orNull(text),
  settings: { type: 'string', description: 'the model of results that the thresholds hold for' },
  rule: { type: 'string', enum: ['best-f1', 'false-alarm-rate'] },
  falseAlarmRate: orNull(number),
  pictures: object({ normal: whole, anomalous: whole }),
  image: threshold,
  map: orNull(threshold),
});

export const keptSchemas: Record<string, Schema> = {
  Calibration: calibration,
  Calibrations: object({ calibrations: list(ref('Calibration')) }),
  Bank: object(
    {
      ...bank,
      pictures: list(
        object({ name: text, sha256: text, leftOut: whole, patches: whole }, ['leftOut', 'patches']),
      ),
    },
    ofSomeBanks,
  ),
  Banks: object({
    normals: list(object({ ...bank, pictures: whole }, ofSomeBanks)),
    limits: orNull(object({ banks: whole, bytes: whole, pictures: whole })),
    mayWrite: { type: 'boolean', description: 'whether the caller adds and deletes banks' },
  }),
};

export const resultSchemas: Record<string, Schema> = {
  Region: object({
    x: whole,
    y: whole,
    width: whole,
    height: whole,
    area: whole,
    peak: number,
    mean: number,
  }),
  Result: object(
    {
      input: text,
      index: whole,
      score: number,
      anomalous: orNull({ type: 'boolean' }),
      threshold: orNull(number),
      width: whole,
      height: whole,
      roi: object({ x: whole, y: whole, width: whole, height: whole }),
      ignoredPixels: whole,
      backgroundPatches: whole,
      bitDepth: whole,
      valueRange: object({ low: number, high: number }),
      warnings: list({ type: 'object' }),
      regions: orNull(list(ref('Region'))),
      model: text,
      ms: object({ decode: number, preprocess: number, forward: number, postprocess: number }),
      mapMax: number,
      map: object(
        {
          width: whole,
          height: whole,
          type: { type: 'string', enum: ['float32-le', 'uint16-le', 'uint8'] },
          low: { type: 'number', description: 'the value of the step 0' },
          high: { type: 'number', description: 'the value of the last step' },
          base64: inBase64,
        },
        ['low', 'high'],
      ),
      heatmap: object({ type: { type: 'string', const: 'image/png' }, base64: inBase64 }),
    },
    [
      'roi',
      'ignoredPixels',
      'backgroundPatches',
      'bitDepth',
      'valueRange',
      'warnings',
      'regions',
      'mapMax',
      'map',
      'heatmap',
    ],
  ),
  Failure: object({ input: text, index: whole, error: ref('ToldError') }),
  Results: object({ results: list({ anyOf: [ref('Result'), ref('Failure')] }), failed: whole }),
  Model: object(model),
  Models: object({ models: list(ref('Model')) }),
  Prompts: object({
    model: text,
    default: text,
    prompts: list(object({ name: text, learnedOn: orNull(list(text)) })),
  }),
  Status: object({ status: { type: 'string', enum: ['alive', 'ready', 'starting', 'ending'] } }),
};

export function inferenceSchemas(outputs: readonly string[]): Record<string, Schema> {
  const parameters = { type: 'object' };
  const only = (properties: Record<string, Schema>) => object(properties, Object.keys(properties));
  const shape = list({ type: 'integer' });
  const tensor = { name: text, datatype: text, shape };
  return {
    InferenceServer: object({ name: text, version: text, extensions: list(text) }),
    InferenceModel: object({
      name: text,
      versions: list(text),
      platform: text,
      inputs: list(object(tensor)),
      outputs: list(object(tensor)),
    }),
    InferenceRequest: {
      type: 'object',
      properties: {
        id: { type: 'string', maxLength: 256 },
        parameters,
        inputs: {
          type: 'array',
          minItems: 1,
          maxItems: 1,
          items: {
            type: 'object',
            properties: {
              name: { type: 'string', enum: ['IMAGE', 'PIXELS'] },
              datatype: { type: 'string', enum: ['BYTES', 'UINT8'] },
              shape: list(whole),
              parameters: only({ binary_data_size: whole }),
              data: { type: 'array' },
            },
            required: ['name', 'datatype', 'shape'],
          },
        },
        outputs: {
          ...list({
            type: 'object',
            properties: {
              name: { type: 'string', enum: outputs },
              parameters: only({ binary_data: { type: 'boolean' } }),
            },
            required: ['name'],
          }),
          maxItems: outputs.length,
          description: 'each name once',
        },
      },
      required: ['inputs'],
    },
    InferenceResponse: object(
      {
        model_name: text,
        model_version: text,
        id: text,
        parameters,
        outputs: list(object({ ...tensor, data: { type: 'array' }, parameters }, ['data', 'parameters'])),
      },
      ['id'],
    ),
  };
}
