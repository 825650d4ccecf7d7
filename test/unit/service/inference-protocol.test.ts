import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let service: FakeService;
let bright: Buffer;
let dark: Buffer;
beforeAll(async () => {
  service = await startFakeService(toy.model);
  bright = await png(204);
  dark = await png(51);
});
afterAll(async () => {
  await service.stop();
});

interface Tensor {
  name: string;
  shape: number[];
  datatype: string;
  data: unknown[];
  parameters?: { binary_data_size: number };
}
type Answer = { error?: string; outputs: Tensor[]; [field: string]: unknown };
const infer = async (head: object, tail = Buffer.alloc(0), path = 'v2/models/toy/infer') => {
  const json = Buffer.from(JSON.stringify(head));
  const reply = await fetch(service.url + path, {
    method: 'POST',
    body: Buffer.concat([json, tail]),
    headers: {
      'content-type': tail.length > 0 ? 'application/octet-stream' : 'application/json',
      ...(tail.length > 0 ? { 'inference-header-content-length': String(json.length) } : {}),
    },
  });
  const bytes = Buffer.from(await reply.arrayBuffer());
  const length = reply.headers.get('inference-header-content-length');
  const end = length === null ? bytes.length : Number(length);
  const answer = JSON.parse(bytes.subarray(0, end).toString()) as Answer;
  return { status: reply.status, answer, rest: bytes.subarray(end) };
};
const image = (...files: Buffer[]) => ({
  name: 'IMAGE',
  datatype: 'BYTES',
  shape: [files.length],
  data: files.map((file) => file.toString('base64')),
});
/** What is scored as it stands. */
const k_inputs = [{ name: 'PIXELS', datatype: 'UINT8', shape: [8, 8, 1], data: Array<number>(64).fill(102) }];
const withLength = (file: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(file.length);
  return Buffer.concat([length, file]);
};

describe('the Open Inference Protocol', () => {
  it('tells server, health and models', async () => {
    const get = async (path: string) => {
      const reply = await fetch(service.url + path);
      return [reply.status, await reply.json()] as const;
    };
    expect(await get('v2')).toEqual([
      200,
      { name: 'crane-native', version: expect.any(String), extensions: ['binary_tensor_data'] },
    ]);
    expect(await get('v2/health/live')).toEqual([200, { live: true }]);
    expect(await get('v2/health/ready')).toEqual([200, { ready: true }]);
    expect(await get('v2/models/toy')).toMatchObject([200, { name: 'toy', versions: ['1'] }]);
    expect(await get('v2/models/toy/versions/1/ready')).toEqual([200, { name: 'toy', ready: true }]);
    expect(await get('v2/models/toy/versions/2')).toEqual([
      404,
      { error: 'E_HTTP_NOT_FOUND: toy has no such version (it has 1)' },
    ]);
    expect((await get('v2/models/none/ready'))[0]).toBe(404);
  });

  it('scores files in JSON', async () => {
    const { status, answer } = await infer({ id: '7', inputs: [image(bright, dark)] });
    expect(status).toBe(200);
    expect(answer).toMatchObject({
      id: '7',
      model_name: 'toy',
      model_version: '1',
      parameters: { model: expect.stringMatching(/^toy@/) },
    });
    expect(answer.outputs).toEqual([
      { name: 'SCORE', datatype: 'FP32', shape: [2], data: [expect.closeTo(0.8, 2), expect.closeTo(0.2, 2)] },
      { name: 'ANOMALOUS', datatype: 'BOOL', shape: [2], data: [true, false] },
    ]);
  });

  it('scores files and gives tensors as binary data', async () => {
    const tail = Buffer.concat([withLength(bright), withLength(dark)]);
    const input = {
      name: 'IMAGE',
      datatype: 'BYTES',
      shape: [2, 1],
      parameters: { binary_data_size: tail.length },
    };
    const outputs = ['MAP', 'SCORE', 'ANOMALOUS', 'REGIONS'].map((name) => ({
      name,
      parameters: { binary_data: name !== 'SCORE' },
    }));
    const { answer, rest } = await infer(
      { inputs: [input], outputs },
      tail,
      'v2/models/toy/versions/1/infer',
    );
    expect(answer.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['MAP', [2, 8, 8]],
      ['SCORE', [2]],
      ['ANOMALOUS', [2]],
      ['REGIONS', [2]],
    ]);
    const mapBytes = 2 * 64 * 4;
    expect(answer.outputs[0]!.parameters?.binary_data_size).toBe(mapBytes);
    expect(rest.readFloatLE(0)).toBeCloseTo(0.8, 6);
    expect(rest.readFloatLE(64 * 4)).toBeCloseTo(0.2, 6);
    expect([...rest.subarray(mapBytes, mapBytes + 2)]).toEqual([1, 0]);
    const regions = rest.subarray(mapBytes + 2);
    const first = JSON.parse(regions.subarray(4, 4 + regions.readUInt32LE(0)).toString()) as object[];
    expect(first).toMatchObject([{ x: 0, y: 0, width: 32, height: 24 }]);
    expect(rest.length).toBe(
      answer.outputs.reduce((sum, { parameters }) => sum + (parameters?.binary_data_size ?? 0), 0),
    );
  });

  it('scores pixels, as binary data and in JSON, and takes parameters as options', async () => {
    const pixels = Buffer.alloc(2 * 8 * 10 * 3, 102);
    const shape = [2, 8, 10, 3];
    const binary = await infer(
      {
        parameters: { threshold: 0.3 },
        inputs: [
          { name: 'PIXELS', datatype: 'UINT8', shape, parameters: { binary_data_size: pixels.length } },
        ],
      },
      pixels,
    );
    expect(binary.answer.outputs[0]!.data).toEqual([expect.closeTo(0.4, 2), expect.closeTo(0.4, 2)]);
    expect(binary.answer.outputs[1]!.data).toEqual([true, true]);
    const flat = await infer({
      inputs: [{ name: 'PIXELS', datatype: 'UINT8', shape: [8, 10, 1], data: Array(80).fill(102) }],
    });
    expect(flat.answer.outputs[0]!.data).toEqual([expect.closeTo(0.4, 2)]);
  });

  it.each<readonly [string, object, number]>([
    ['no inputs', {}, 400],
    [
      'two inputs',
      {
        inputs: [
          { name: 'IMAGE', datatype: 'BYTES', shape: [0], data: [] },
          { name: 'IMAGE', datatype: 'BYTES', shape: [0], data: [] },
        ],
      },
      400,
    ],
    ['no picture', { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [0], data: [] }] }, 400],
    ['another tensor', { inputs: [{ name: 'X', datatype: 'FP32', shape: [1], data: [1] }] }, 400],
    [
      'a shape that lies',
      { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [2], data: ['aaaa'] }] },
      400,
    ],
    [
      'a shape of a million',
      { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1000, 1000], data: [] }] },
      413,
    ],
    ['a shape below 0', { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [-1], data: [] }] }, 400],
    [
      'pixels of a false length',
      { inputs: [{ name: 'PIXELS', datatype: 'UINT8', shape: [8, 8, 3], data: [1] }] },
      400,
    ],
    [
      'pixels above 255',
      { inputs: [{ name: 'PIXELS', datatype: 'UINT8', shape: [8, 8, 1], data: Array(64).fill(256) }] },
      400,
    ],
    [
      'two channels',
      { inputs: [{ name: 'PIXELS', datatype: 'UINT8', shape: [8, 8, 2], data: Array(128).fill(1) }] },
      400,
    ],
    [
      'binary data that is not there',
      { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 9 } }] },
      400,
    ],
    [
      'a strange output',
      {
        inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], data: ['aaaa'] }],
        outputs: [{ name: 'X' }],
      },
      400,
    ],
    [
      'a strange parameter',
      {
        parameters: { device: 'cuda' },
        inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], data: ['aaaa'] }],
      },
      400,
    ],
    ['no picture file', { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], data: ['aaaa'] }] }, 400],
    ['an entry that is null', { inputs: [null] }, 400],
    [
      'a model as a parameter',
      {
        parameters: { model: 'toy' },
        inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], data: ['aaaa'] }],
      },
      400,
    ],
    ...Object.entries({
      map: true,
      mapType: 'uint8',
      regions: true,
      heatmap: true,
      heatmapRange: '0,1',
    }).map(
      ([name, value]) =>
        [`the parameter ${name}`, { parameters: { [name]: value }, inputs: k_inputs }, 400] as const,
    ),
    ['a flag that is a text', { parameters: { binary_data_output: 'true' }, inputs: k_inputs }, 400],
    [
      'a flag of an output that is a text',
      { inputs: k_inputs, outputs: [{ name: 'SCORE', parameters: { binary_data: 'yes' } }] },
      400,
    ],
    [
      'a strange parameter of an output',
      { inputs: k_inputs, outputs: [{ name: 'SCORE', parameters: { classification: 1 } }] },
      400,
    ],
    [
      'a strange parameter of an input',
      { inputs: [{ ...k_inputs[0], parameters: { threshold: 0.1 } }] },
      400,
    ],
    ['an id that is a number', { id: 7, inputs: k_inputs }, 400],
    ['an id that is too long', { id: 'i'.repeat(257), inputs: k_inputs }, 400],
  ])('refuses %s in the form of the protocol', async (_what, head, expected) => {
    const { status, answer } = await infer(head);
    expect(status).toBe(expected);
    expect(answer).toEqual({ error: expect.stringMatching(/^E_/) });
  });

  it('scores what those hold that are refused for one thing', async () => {
    expect((await infer({ inputs: k_inputs })).status).toBe(200);
  });

  it('says that outputs are asked for by their names, not by parameters', async () => {
    const { answer } = await infer({ parameters: { map: true }, inputs: [image(bright)] });
    expect(answer.error).toMatch(/^E_USAGE: .*\(ask for the outputs MAP and REGIONS/);
  });

  it('gives back an id as it is', async () => {
    const id = 'i'.repeat(256);
    expect((await infer({ id, inputs: [image(bright)] })).answer['id']).toBe(id);
  });

  it('refuses what is given twice', async () => {
    const inputs = JSON.stringify([image(bright)]);
    for (const body of [
      `{"parameters":{"threshold":0.1,"threshold":0.9},"inputs":${inputs}}`,
      `{"inputs":${inputs},"inputs":${inputs}}`,
    ]) {
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(`${service.url}v2/models/toy/infer`, { method: 'POST', body, headers });
      expect([reply.status, await reply.json()]).toEqual([
        400,
        { error: expect.stringContaining('is given twice') },
      ]);
    }
  });

  it('reads JSON by its type, as bytes or without a type, and nothing else', async () => {
    const body = Buffer.from(JSON.stringify({ inputs: [image(bright)] }));
    for (const [type, status] of [
      ['application/json; charset=utf-8', 200],
      ['application/octet-stream', 200],
      ['', 200],
      ['text/plain', 415],
      ['image/png', 415],
    ] as const) {
      const headers = type === '' ? {} : { 'content-type': type };
      const init = { method: 'POST', body: new Blob([new Uint8Array(body)]), headers };
      const reply = await fetch(`${service.url}v2/models/toy/infer`, init);
      expect([type, reply.status]).toEqual([type, status]);
    }
  });

  it('refuses binary data that does not fit', async () => {
    const input = (size: number) => ({
      inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: size } }],
    });
    const both = { ...k_inputs[0], parameters: { binary_data_size: 64 } };
    const lying = Buffer.alloc(12);
    lying.writeUInt32LE(4_000_000_000);
    for (const [head, tail] of [
      [{ inputs: [both] }, Buffer.alloc(64)],
      [input(12), lying],
      [input(3), Buffer.alloc(3)],
      [input(2), Buffer.alloc(12)],
      // All of the input is there, and more.
      [input(4 + bright.length), Buffer.concat([withLength(bright), Buffer.alloc(9)])],
    ] as const) {
      const { status, answer } = await infer(head, tail);
      expect([status, Object.keys(answer)]).toEqual([400, ['error']]);
    }
  });

  it('makes no more elements than the shape says', async () => {
    const empty = Buffer.alloc(800_000);
    const parameters = { binary_data_size: empty.length };
    const binary = await infer(
      { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [2], parameters }] },
      empty,
    );
    const told = (found: string) => expect.stringContaining(`IMAGE has ${found} elements, its shape says 2`);
    expect([binary.status, binary.answer.error]).toEqual([400, told('more than 2')]);
    const data = [Array(50_000).fill('*')];
    const inJson = await infer({ inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [2], data }] });
    expect([inJson.status, inJson.answer.error]).toEqual([400, told('50000')]);
  });

  it('gives an output once, however often it is named', async () => {
    const output = { name: 'MAP', parameters: { binary_data: true } };
    const twice = await infer({ inputs: [image(bright)], outputs: [output, { name: 'SCORE' }, output] });
    expect([twice.status, twice.answer.error]).toEqual([
      400,
      expect.stringContaining('"MAP" is named twice'),
    ]);
    const all = [output, { name: 'SCORE' }, { name: 'ANOMALOUS' }, { name: 'REGIONS' }];
    expect((await infer({ inputs: [image(bright)], outputs: all })).status).toBe(200);
  });

  it('says that ANOMALOUS needs a threshold', async () => {
    const { status, answer } = await infer({
      parameters: { fit: 'pad' },
      inputs: [image(bright)],
      outputs: [{ name: 'ANOMALOUS' }],
    });
    expect([status, answer.error]).toEqual([400, expect.stringContaining('needs a threshold')]);
  });
});
