import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultMethod } from '../../../src/methods/registry.js';
import { optionNames, options } from '../../../src/options/table.js';
import { allAddresses } from '../../../src/service/addresses.js';
import { learnNames } from '../../../src/service/requests/request-options.js';
import { makeToyModel } from '../engine/toy-model.js';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

interface Operation {
  parameters?: { name: string; in: string; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const toy = toyModelOfFile();
let service: FakeService;
let document: Document;
const validators = new Map<object, ValidateFunction>();
beforeAll(async () => {
  service = await startFakeService(toy.model, { dataFolder: join(toy.folder, 'data') });
  document = (await (await fetch(`${service.url}openapi.json`)).json()) as Document;
});
afterAll(async () => {
  await service.stop();
});

/** Compiled with the document's components, so that references are found. */
function faultsOf(schema: object, value: unknown): unknown {
  let validate = validators.get(schema);
  if (!validate) {
    const ajv = new Ajv2020({ strict: false });
    validate = ajv.compile({ ...schema, components: document.components });
    validators.set(schema, validate);
  }
  return validate(value) ? null : validate.errors;
}

/** Asks, and holds the answer against what the document says of its status. */
async function hold(path: string, method: 'get' | 'post' | 'delete', init: RequestInit = {}, pattern = path) {
  const reply = await fetch(service.url + path, { method, ...init });
  const operation = document.paths[`/${pattern.split('?')[0]}`]![method]!;
  const told = operation.responses[reply.status];
  expect(told, `${path} ${reply.status}`).toBeDefined();
  if (reply.status === 204) {
    expect([told!.content, await reply.text()]).toEqual([undefined, '']);
    return { status: 204, body: undefined, schema: {} };
  }
  const schema = told!.content?.['application/json']?.schema;
  expect(schema, `${path} ${reply.status}`).toBeDefined();
  const body: unknown = await reply.json();
  expect(faultsOf(schema!, body), JSON.stringify(body)).toBeNull();
  return { status: reply.status, body, schema: schema! };
}

describe('the OpenAPI document', () => {
  it('has every address of the service, and no other', () => {
    const paths = allAddresses(service.service).filter(({ isPage }) => !isPage);
    const served = paths.map(({ path }) => path.replaceAll(/:(\w+)/g, '{$1}')).sort();
    expect(Object.keys(document.paths).sort()).toEqual(served);
    for (const { path, methods } of paths) {
      const told = document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]!;
      expect(Object.keys(told)).toEqual(Object.keys(methods).map((method) => method.toLowerCase()));
    }
  });

  it('has every option of a request, and none of the operator', () => {
    const post = document.paths['/v1/score']!['post']!;
    const all = optionNames.filter((name) => (options[name].scope as readonly string[]).includes('http'));
    const learning = document.paths['/v1/normals']!['post']!.parameters!.map(({ name }) => name);
    expect(learning).toEqual([
      'name',
      'model',
      'evidence',
      'bankTower',
      'bankBlocks',
      'turns',
      'mirror',
      'bankKind',
      'bankVariance',
      'bankForeground',
      'bankPrecision',
    ]);
    const names = all.filter((name) => ['model', 'evidence'].includes(name) || !learning.includes(name));
    expect(names.length).toBeGreaterThan(15);
    expect(post.parameters!.map(({ name }) => name)).toEqual(names);
    const inJson = post.requestBody!.content['application/json']!.schema as { properties: object };
    expect(Object.keys(inJson.properties).sort()).toEqual([...names, 'ignore', 'pictures'].sort());
    for (const name of ['device', 'maxPixels', 'port', 'tokenFile']) expect(names).not.toContain(name);
  });

  it.each([
    [
      { threshold: 0.5, regions: true, valueRange: { low: 0, high: 1 }, bitDepth: 'auto', features: [1] },
      true,
    ],
    [{ threshold: null }, true],
    [{ threshold: 3 }, false],
    [{ fit: 'none' }, false],
    [{ bitDepth: 20 }, false],
    [{ valueRange: { low: 0 } }, false],
    [{ device: 'cpu' }, false],
    [{ sigma: 100 }, true],
    [{ sigma: 101 }, false],
    [{ className: 'y'.repeat(4096) }, true],
    [{ className: 'y'.repeat(4097) }, false],
  ])('says of %j what the service says of it', async (choices, isGood) => {
    const body = { pictures: [{ data: (await png(90)).toString('base64') }], ...choices };
    const { schema } = document.paths['/v1/score']!['post']!.requestBody!.content['application/json']!;
    expect(faultsOf(schema, body) === null).toBe(isGood);
    const headers = { 'content-type': 'application/json' };
    const { status } = await hold('v1/score', 'post', { body: JSON.stringify(body), headers });
    expect(status < 300).toBe(isGood);
  });

  it.each([
    ['v1/score', 'bitDepth', 'auto', 200],
    ['v1/score', 'bitDepth', '12', 200],
    ['v1/score', 'bitDepth', '17', 400],
    ['v1/score', 'bitDepth', 'twelve', 400],
    ['v1/score', 'threshold', 'none', 200],
    ['v1/score', 'threshold', 'null', 400],
    ['v1/score', 'roi', '1,1,8,8', 200],
    ['v1/score', 'roi', '1,1,8,0', 400],
    ['v1/score', 'evidence', 'prompts', 200],
    ['v1/score', 'evidence', 'all', 400],
    ['v1/score', 'sigma', '4', 200],
    ['v1/score', 'sigma', '1000', 400],
    ['v1/normals', 'bankBlocks', '1,2', 201],
    ['v1/normals', 'bankBlocks', '0,1', 400],
    ['v1/normals', 'bankBlocks', '1,,2', 400],
    ['v1/normals', 'bankBlocks', '[1]', 400],
  ])('says of %s?%s=%s what the service says of it', async (path, name, value, status) => {
    const parameters = document.paths[`/${path}`]!['post']!.parameters!;
    const { schema } = parameters.find((one) => one.name === name)!;
    const isGood = faultsOf(schema, value) === null || faultsOf(schema, Number(value)) === null;
    expect(isGood).toBe(status < 300);
    const kept = path === 'v1/normals' ? '&name=listed' : '';
    const query = `${path}?${name}=${encodeURIComponent(value)}${kept}`;
    const raw = { body: new Uint8Array(await png(90)), headers: { 'content-type': 'image/png' } };
    expect((await hold(query, 'post', raw, path)).status).toBe(status);
    if (status === 201) await fetch(`${service.url}v1/normals/listed`, { method: 'DELETE' });
  });

  const valuesOfLearning: Record<string, string> = {
    model: 'toy',
    evidence: 'both',
    bankTower: 'source',
    bankBlocks: '2',
    turns: '2',
    mirror: 'true',
    bankKind: 'subspace',
    bankVariance: '0.5',
    bankForeground: 'true',
    bankPrecision: 'float16',
  };
  it.each(learnNames)('describes a bank that is learned with %s, which can be kept', async (name) => {
    const also = name === 'bankVariance' ? '&bankKind=subspace' : '';
    const query = `v1/normals?name=with&${name}=${valuesOfLearning[name]}${also}`;
    const raw = { body: new Uint8Array(await png(90)), headers: { 'content-type': 'image/png' } };
    const made = await hold(query, 'post', raw, 'v1/normals');
    expect([made.status, made.body]).toMatchObject([201, { name: 'with' }]);
    expect((await hold('v1/normals', 'get')).status).toBe(200);
    expect((await hold('v1/normals/with', 'get', {}, 'v1/normals/{name}')).body).toEqual(made.body);
    await fetch(`${service.url}v1/normals/with`, { method: 'DELETE' });
  });

  it('describes options of a form as those of a query', () => {
    for (const path of ['/v1/score', '/v1/normals', '/v1/calibrations']) {
      const { parameters, requestBody } = document.paths[path]!['post']!;
      const { schema } = requestBody!.content['multipart/form-data']!;
      const { properties } = schema as { properties: Record<string, unknown> };
      for (const { name } of parameters!)
        expect([path, Object.keys(properties)]).toEqual([path, expect.arrayContaining([name])]);
    }
  });

  it('describes the answers of every address', async () => {
    const picture = new Uint8Array(await png(90));
    const raw = { body: picture, headers: { 'content-type': 'image/png' } };
    const form = new FormData();
    form.append('picture', new Blob([picture]), 'a');
    form.append('picture', new Blob(['nothing']), 'b');
    expect((await hold('v1/score', 'post', raw)).status).toBe(200);
    expect(
      (await hold('v1/score?map=true&heatmap=true&regions=true&mapThreshold=0.1', 'post', raw)).status,
    ).toBe(200);
    expect((await hold('v1/score', 'post', { body: form })).status).toBe(200);
    expect((await hold('v1/score?model=none', 'post', raw)).status).toBe(404);
    expect((await hold('v1/score', 'post', { body: 'x', headers: { 'content-type': 'a/b' } })).status).toBe(
      415,
    );
    for (const path of [
      'v1/models',
      'v1/prompts',
      'v1/normals',
      'healthz',
      'readyz',
      'v2',
      'v2/health/live',
      'v2/health/ready',
      'openapi.json',
    ])
      expect([path, (await hold(path, 'get')).status]).toEqual([path, 200]);
    // A head that is too large, one that comes too slowly: whatever was asked for.
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path)))
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '408', '431', '500']));
    for (const [model, status] of [
      ['toy', 200],
      ['none', 404],
      ['', 400],
      ['y'.repeat(4097), 400],
    ] as const)
      expect((await hold(`v1/prompts?model=${model}`, 'get', {}, 'v1/prompts')).status).toBe(status);
    for (const [path, pattern] of [
      ['v1/models/toy', 'v1/models/{model}'],
      ['v2/models/toy', 'v2/models/{model}'],
      ['v2/models/toy/ready', 'v2/models/{model}/ready'],
      ['v2/models/toy/versions/1', 'v2/models/{model}/versions/{version}'],
    ] as const) {
      expect((await hold(path, 'get', {}, pattern)).status).toBe(200);
      expect((await hold(path.replace('toy', 'none'), 'get', {}, pattern)).status).toBe(404);
    }
    const add = (name: string) => hold(`v1/normals?name=${name}`, 'post', raw, 'v1/normals');
    expect([(await add('a')).status, (await add('a')).status]).toEqual([201, 409]);
    expect((await add('..')).status).toBe(400);
    expect((await hold('v1/normals', 'get')).status).toBe(200);
    expect((await hold('v1/normals/a', 'get', {}, 'v1/normals/{name}')).status).toBe(200);
    expect((await hold('v1/score?normals=a', 'post', raw)).status).toBe(200);
    expect((await hold('v1/normals/a', 'delete', {}, 'v1/normals/{name}')).status).toBe(204);
    expect((await hold('v1/normals/a', 'delete', {}, 'v1/normals/{name}')).status).toBe(404);
    const labelled = new FormData();
    labelled.append('good', new Blob([picture]), 'a');
    labelled.append('bad', new Blob([new Uint8Array(await png(200))]), 'b');
    const calibrate = () => hold('v1/calibrations?name=a', 'post', { body: labelled }, 'v1/calibrations');
    expect([(await calibrate()).status, (await calibrate()).status]).toEqual([201, 409]);
    expect((await hold('v1/calibrations', 'get')).status).toBe(200);
    const ofOne = 'v1/calibrations/{name}';
    expect((await hold('v1/calibrations/a', 'get', {}, ofOne)).status).toBe(200);
    expect((await hold('v1/score?calibration=a', 'post', raw)).status).toBe(200);
    expect((await hold('v1/calibrations/a', 'delete', {}, ofOne)).status).toBe(204);
    const inputs = [
      { name: 'IMAGE', datatype: 'BYTES', shape: [1], data: [Buffer.from(picture).toString('base64')] },
    ];
    const infer = {
      body: JSON.stringify({ id: 'a', inputs }),
      headers: { 'content-type': 'application/json' },
    };
    expect((await hold('v2/models/toy/infer', 'post', infer, 'v2/models/{model}/infer')).status).toBe(200);
    expect(
      (await hold('v2/models/toy/infer', 'post', { ...infer, body: '{}' }, 'v2/models/{model}/infer')).status,
    ).toBe(400);
    expect(
      (await hold('v2/models/toy/infer', 'post', { body: '{}' }, 'v2/models/{model}/infer')).status,
    ).toBe(415);
    const withAccept = Object.entries(document.paths).filter(([, told]) => told['post']?.responses['406']);
    expect(withAccept.map(([path]) => path)).toEqual(['/v1/score']);
  });

  it('describes a model of which nothing is learned', async () => {
    await makeToyModel(join(toy.folder, 'other'), (json) => {
      json.method = defaultMethod('winclip') as never;
    });
    const options = { model: join(toy.folder, 'other', 'model.json'), className: 'toy' };
    const other = await startFakeService('', { models: [{ name: 'toy', options, promptSets: {} }] });
    const body: unknown = await (await fetch(`${other.url}v1/models`)).json();
    await other.stop();
    expect(body).toMatchObject({ models: [{ defaultPrompts: null }] });
    const { schema } = document.paths['/v1/models']!['get']!.responses['200']!.content!['application/json']!;
    expect(faultsOf(schema, body)).toBeNull();
  });

  it('finds an answer that is not as it says', () => {
    const { schema } = document.paths['/healthz']!['get']!.responses['200']!.content!['application/json']!;
    expect(faultsOf(schema, { status: 'odd' })).not.toBeNull();
  });
});
