/** The Open Inference Protocol (KServe V2, REST) beside our own addresses, so that existing clients and gateways work. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CraneError } from '../../errors.js';
import type { ErrorAnswer } from '../answers.js';
import type { ModelFacts } from '../engine-messages.js';
import type { Address } from '../http-server.js';
import { readBody, readJsonBody } from '../requests/read-body.js';
import { mediaType, queryOf } from '../requests/read-pictures.js';
import { ChoicesReader } from '../requests/request-options.js';
import { type InferRequest, type OutputName, readInferRequest } from '../requests/tensors.js';
import { modelOf, type Service, throwIfAway } from '../service.js';
import type { Scored } from '../supervisor.js';
import { orderOf, scoreOne } from './score.js';
import { whenGone } from './when-gone.js';

const errorBody = ({ error }: ErrorAnswer) => ({
  error: `${error.code}: ${error.message}${error.hint ? ` (${error.hint})` : ''}`,
});

export function inferenceAddresses(service: Service): Address[] {
  const named = (request: FastifyRequest): ModelFacts => {
    const { model: name, version } = request.params as { model: string; version?: string };
    const model = modelOf(service, name);
    if (version === undefined || version === model.version) return model;
    throw new CraneError('E_HTTP_NOT_FOUND', `${model.name} has no such version`, {
      hint: `it has ${model.version}`,
    });
  };
  const ready = (_request: FastifyRequest, reply: FastifyReply) => {
    const isReady = service.supervisor.isReady && !service.isDraining;
    return reply.code(isReady ? 200 : 503).send({ ready: isReady });
  };
  const get = (
    path: string,
    handler: (request: FastifyRequest, reply: FastifyReply) => unknown,
    isOpen = false,
  ) => ({
    path,
    isOpen,
    errorBody,
    methods: { GET: handler },
  });
  const ofModel = (path: string): Address[] => [
    get(path, (request) => metadata(named(request))),
    get(`${path}/ready`, (request, reply) => {
      const { name } = named(request);
      const isReady = service.supervisor.isReady && !service.isDraining;
      return reply.code(isReady ? 200 : 503).send({ name, ready: isReady });
    }),
    {
      path: `${path}/infer`,
      errorBody,
      methods: { POST: (request, reply) => infer(service, named(request), request, reply) },
    },
  ];
  return [
    get('/v2', () => ({
      name: 'crane-native',
      version: service.version,
      extensions: ['binary_tensor_data'],
    })),
    get('/v2/health/live', () => ({ live: true }), true),
    get('/v2/health/ready', ready, true),
    ...ofModel('/v2/models/:model'),
    ...ofModel('/v2/models/:model/versions/:version'),
  ];
}

function metadata({ name, version }: ModelFacts): object {
  return {
    name,
    versions: [version],
    platform: 'crane-native',
    // One of the two.
    inputs: [
      { name: 'IMAGE', datatype: 'BYTES', shape: [-1] },
      { name: 'PIXELS', datatype: 'UINT8', shape: [-1, -1, -1, -1] },
    ],
    outputs: [
      { name: 'SCORE', datatype: 'FP32', shape: [-1] },
      { name: 'ANOMALOUS', datatype: 'BOOL', shape: [-1] },
      { name: 'MAP', datatype: 'FP32', shape: [-1, -1, -1] },
      { name: 'REGIONS', datatype: 'BYTES', shape: [-1] },
    ],
  };
}

/** Clients of the protocol name one of the two, or none. */
const k_bodies = ['', 'application/json', 'application/octet-stream'];

async function infer(
  service: Service,
  model: ModelFacts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  throwIfAway(service);
  if (queryOf(request.raw) !== '') {
    throw new CraneError('E_USAGE', 'this address takes no options in its query', {
      hint: 'they are parameters of the request: "parameters": { "threshold": 0.4 }',
    });
  }
  const type = mediaType(request.raw);
  if (!k_bodies.includes(type)) {
    throw new CraneError('E_HTTP_TYPE', `bodies of type ${JSON.stringify(type.slice(0, 80))} are not read`, {
      hint: 'send application/json, or application/octet-stream with binary data behind the JSON',
    });
  }
  const place = service.admission.enter();
  reply.raw.once('close', place.leave);
  const reader = new ChoicesReader();
  const headLength = request.headers['inference-header-content-length'] as string | undefined;
  const limits = { ...service.settings, place };
  const read = headLength === undefined ? readJsonBody : readBody;
  const body = await read(request.raw, limits);
  const asked = readInferRequest(body, headLength, reader, limits);
  const { choices } = reader;
  if (choices.model !== undefined)
    throw new CraneError('E_USAGE', 'the address names the model, not a parameter');
  place.holdPictures(asked.pictures.length);
  const wants = (name: OutputName) => asked.outputs?.some((output) => output.name === name) ?? false;
  const order = orderOf(service, {
    ...choices,
    model: model.name,
    heatmap: false,
    map: wants('MAP'),
    // The tensor's type is told beforehand.
    mapType: 'float32',
    regions: wants('REGIONS'),
  });
  const signal = whenGone(reply);
  const scored = await Promise.all(
    asked.pictures.map(({ bytes, form }, at) =>
      scoreOne(service, { ...order, form, name: `picture ${at}` }, bytes, signal),
    ),
  );
  return sendTensors(model, asked, scored, reply);
}

interface Tensor {
  name: OutputName;
  datatype: 'FP32' | 'BOOL' | 'BYTES';
  shape: number[];
  /** in JSON */
  data: () => unknown[];
  binary: Uint8Array;
}

function sendTensors(model: ModelFacts, asked: InferRequest, scored: Scored[], reply: FastifyReply): unknown {
  const knowsThreshold = scored.every(({ answer }) => answer.result.anomalous !== null);
  const names: OutputName[] = knowsThreshold ? ['SCORE', 'ANOMALOUS'] : ['SCORE'];
  const outputs = asked.outputs ?? names.map((name) => ({ name, isBinary: asked.isBinary }));
  const tails: Uint8Array[] = [];
  const heads = outputs.map(({ name, isBinary }) => {
    const { data, binary, ...head } = tensor(name, scored);
    if (!isBinary) return { ...head, data: data() };
    tails.push(binary);
    return { ...head, parameters: { binary_data_size: binary.length } };
  });
  const head = {
    model_name: model.name,
    model_version: model.version,
    ...(asked.id === undefined ? {} : { id: asked.id }),
    parameters: { model: scored[0]!.answer.result.model },
    outputs: heads,
  };
  if (tails.length === 0) return reply.send(head);
  const json = Buffer.from(JSON.stringify(head));
  reply.header('inference-header-content-length', String(json.length));
  return reply.type('application/octet-stream').send(Buffer.concat([json, ...tails]));
}

/** @throws CraneError E_USAGE where the pictures have no such output */
function tensor(name: OutputName, scored: Scored[]): Tensor {
  const results = scored.map(({ answer }) => answer.result);
  const shape = [scored.length];
  switch (name) {
    case 'SCORE': {
      const data = results.map(({ score }) => score);
      return { name, datatype: 'FP32', shape, data: () => data, binary: floats(data) };
    }
    case 'ANOMALOUS': {
      const data = results.map(({ anomalous }) => {
        if (anomalous === null)
          throw new CraneError('E_USAGE', 'ANOMALOUS needs a threshold, and none is known', {
            hint: 'give the parameter threshold',
          });
        return anomalous;
      });
      return { name, datatype: 'BOOL', shape, data: () => data, binary: Uint8Array.from(data, Number) };
    }
    case 'REGIONS': {
      const data = results.map(({ regions }) => JSON.stringify(regions ?? null));
      const elements = data.flatMap((text) => {
        const bytes = Buffer.from(text);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      });
      return { name, datatype: 'BYTES', shape, data: () => data, binary: Buffer.concat(elements) };
    }
    case 'MAP': {
      const { width, height } = scored[0]!.answer.map!;
      if (scored.some(({ answer: { map } }) => map!.width !== width || map!.height !== height))
        throw new CraneError('E_USAGE', 'maps of different sizes are no tensor: send one picture a request');
      const binary = Buffer.concat(scored.map(({ map }) => map!));
      const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
      return {
        name,
        datatype: 'FP32',
        shape: [scored.length, height, width],
        data: () => Array.from({ length: binary.length / 4 }, (_, at) => view.getFloat32(at * 4, true)),
        binary,
      };
    }
  }
}

function floats(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes;
}
