import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let service: FakeService;
let bright: Buffer;
let dark: Buffer;
beforeAll(async () => {
  service = await startFakeService(toy.model, { dataFolder: join(toy.folder, 'data') });
  bright = await png(204);
  dark = await png(51);
});
afterAll(async () => {
  await service.stop();
});

interface Result {
  [field: string]: unknown;
  score: number;
  error: { code: string; message: string; hint?: string };
}
const ask = async (
  body: NonNullable<RequestInit['body']>,
  query = '',
  headers: Record<string, string> = {},
) => {
  const reply = await fetch(`${service.url}v1/score${query}`, { method: 'POST', body, headers });
  return {
    status: reply.status,
    reply,
    json: (await reply
      .clone()
      .json()
      .catch(() => ({}))) as Result & { results: Result[]; failed: number },
  };
};
const raw = (query = '', headers: Record<string, string> = {}, body = bright) =>
  ask(new Uint8Array(body), query, { 'content-type': 'image/png', ...headers });
function form(files: Record<string, Buffer>, fields: Record<string, string> = {}) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  for (const [name, bytes] of Object.entries(files))
    data.append('picture', new Blob([new Uint8Array(bytes)]), name);
  return data;
}
const json = (value: object) => ask(JSON.stringify(value), '', { 'content-type': 'application/json' });

describe('POST /v1/score', () => {
  it('gives one result for a raw picture', async () => {
    const { status, json } = await raw();
    expect(status).toBe(200);
    expect(json).toEqual({
      input: 'picture',
      index: 0,
      score: expect.closeTo(0.8, 2),
      anomalous: true,
      threshold: 0.5,
      width: 32,
      height: 24,
      model: expect.stringMatching(/^toy@[0-9a-f]{12}$/),
      warnings: [{ kind: 'constant', message: expect.stringContaining('204 of 255') }],
      ms: { decode: expect.any(Number), preprocess: 1, forward: 2, postprocess: 3 },
    });
  });

  it('gives the same score for a raw picture, a form and JSON', async () => {
    const one = await raw();
    const two = await ask(form({ 'a.png': bright, 'ä b.png': dark }));
    const three = await json({ pictures: [{ name: 'x', data: bright.toString('base64') }] });
    expect(two.json.results.map(({ input, index }) => [input, index])).toEqual([
      ['a.png', 0],
      ['ä b.png', 1],
    ]);
    expect(two.json.results.map(({ score }) => score)).toEqual([one.json.score, expect.closeTo(0.2, 2)]);
    expect(three.json.results).toMatchObject([{ input: 'x', score: one.json.score }]);
    expect(two.json.failed).toBe(0);
  });

  it('takes options from the query, the form and JSON alike', async () => {
    const options = {
      threshold: 0.9,
      mapThreshold: 0.5,
      regions: true,
      fit: 'pad',
      valueRange: { low: 0, high: 1 },
    };
    const inQuery = await raw('?threshold=0.9&mapThreshold=0.5&regions=true&fit=pad&valueRange=0,1');
    const inForm = await ask(
      form(
        { a: bright },
        { threshold: '0.9', mapThreshold: '0.5', regions: 'true', fit: 'pad', valueRange: '0,1' },
      ),
    );
    const inJson = await json({ ...options, pictures: [{ data: bright.toString('base64') }] });
    for (const result of [inQuery.json, inForm.json.results[0]!, inJson.json.results[0]!])
      expect(result).toMatchObject({
        threshold: 0.9,
        anomalous: false,
        regions: [{ x: 0, y: 0, width: 32, height: 24 }],
      });
    const [requests] = service.addon.log.passes.slice(-1);
    expect(requests?.requests[0]).toMatchObject({ fit: 'pad' });
  });

  it('gives the map and the heat map when they are asked for', async () => {
    const { json } = await raw('?map=true&heatmap=true&heatmapRange=0,2');
    const map = json['map'] as { width: number; height: number; type: string; base64: string };
    expect([map.width, map.height, map.type]).toEqual([8, 8, 'float32-le']);
    const bytes = Uint8Array.from(Buffer.from(map.base64, 'base64'));
    expect(new Float32Array(bytes.buffer)[5]).toBeCloseTo(0.8, 6);
    expect(json['mapMax']).toBeCloseTo(0.8, 6);
    const heatmap = json['heatmap'] as { base64: string };
    const picture = await sharp(Buffer.from(heatmap.base64, 'base64')).raw().toBuffer();
    // The fake paints the share of the range in red: 0.8 of 2.
    expect(picture[0]).toBe(Math.round(255 * 0.4));
  });

  it('gives the map in steps, each the nearest to its value', async () => {
    for (const [mapType, steps, type] of [
      ['uint16', 65_535, 'uint16-le'],
      ['uint8', 255, 'uint8'],
    ] as const) {
      const { json } = await raw(`?map=true&mapType=${mapType}`);
      const map = json['map'] as { type: string; low: number; high: number; base64: string };
      expect([map.type, map.low, map.high]).toEqual([type, 0, 1]);
      const bytes = Buffer.from(map.base64, 'base64');
      expect(bytes.length).toBe(64 * (steps > 255 ? 2 : 1));
      expect(steps > 255 ? bytes.readUInt16LE(10) : bytes[5]).toBe(Math.round(0.8 * steps));
    }
    expect((await raw('?map=true&mapType=float64')).reply.status).toBe(400);
    expect((await raw('?mapType=uint8')).json['map']).toBeUndefined();
  });

  it('answers with a heat map as a picture', async () => {
    const { reply } = await raw('', { accept: 'image/png' });
    expect(reply.headers.get('content-type')).toBe('image/png');
    expect(reply.headers.get('crane-anomalous')).toBe('true');
    expect(Number(reply.headers.get('crane-score'))).toBeCloseTo(0.8, 2);
    expect((await sharp(Buffer.from(await reply.arrayBuffer())).metadata()).format).toBe('png');
    const two = await ask(form({ a: bright, b: dark }), '', { accept: 'image/png' });
    expect([two.status, two.json.error.code]).toEqual([406, 'E_HTTP_ACCEPT']);
  });

  it.each(['application/x-ndjson', 'application/jsonl'])(
    'streams a line for each picture as %s',
    async (accept) => {
      const { reply } = await ask(form({ a: bright, b: Buffer.from('no picture'), c: dark }), '', { accept });
      expect(reply.headers.get('content-type')).toBe(accept);
      const lines = (await reply.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Result);
      expect(lines.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
      expect(lines.find(({ index }) => index === 1)?.error.code).toBe('E_IMAGE_DECODE');
      expect(lines.find(({ index }) => index === 2)?.score).toBeCloseTo(0.2, 2);
    },
  );

  it('answers a raw picture that fails with its status, one of many in its place', async () => {
    const one = await raw('', {}, Buffer.from('no picture'));
    expect([one.status, one.json.error.code]).toEqual([400, 'E_IMAGE_DECODE']);
    const many = await ask(form({ a: bright, b: Buffer.from('no picture') }));
    expect(many.status).toBe(200);
    expect(many.json).toMatchObject({
      failed: 1,
      results: [{ index: 0 }, { input: 'b', error: { code: 'E_IMAGE_DECODE' } }],
    });
  });

  it.each([
    ['?treshold=1', 400, 'E_USAGE', 'did you mean "threshold"?'],
    ['?threshold=2', 400, 'E_USAGE', undefined],
    ['?threshold=0.1&threshold=0.2', 400, 'E_HTTP_REQUEST', undefined],
    ['?maxPixels=1', 400, 'E_USAGE', undefined],
    ['?device=cuda', 400, 'E_USAGE', undefined],
    ['?model=../../etc', 404, 'E_HTTP_NOT_FOUND', 'there are toy'],
    ['?prompts=/etc/passwd', 404, 'E_HTTP_NOT_FOUND', 'it has plain, other'],
    ['?eAttn=nothing', 400, 'E_USAGE', undefined],
    // What would take a request's time or memory without bound, or have no finite result.
    ['?temperature=1e-300', 400, 'E_USAGE', undefined],
    [`?features=4${',4'.repeat(64)}`, 400, 'E_USAGE', undefined],
  ])('refuses %s', async (query, status, code, hint) => {
    const answer = await raw(query);
    expect([answer.status, answer.json.error.code]).toEqual([status, code]);
    if (hint) expect(answer.json.error.hint).toBe(hint);
  });

  it('takes a prompt set by its name', async () => {
    const plain = await raw('?prompts=plain');
    const other = await raw('?prompts=other');
    expect(other.json['model']).not.toBe(plain.json['model']);
  });

  it('takes a query with a question mark in it whole', async () => {
    const none = await raw('?prompts=plain?&threshold=0.9');
    expect([none.status, none.json.error.message]).toEqual([404, 'toy has no prompt set "plain?"']);
    const twice = await raw('?threshold=0.4?threshold=0.9');
    expect([twice.status, twice.json.error.code]).toEqual([400, 'E_USAGE']);
    for (const [path, field] of [
      ['v1/normals', 'picture'],
      ['v1/calibrations', 'good'],
    ] as const) {
      const body = new FormData();
      body.append(field, new Blob([new Uint8Array(bright)]), 'a');
      const reply = await fetch(`${service.url}${path}?name=a?&model=toy`, { method: 'POST', body });
      const { error } = (await reply.json()) as Result;
      expect([reply.status, error.message]).toEqual([400, expect.stringContaining('"a?" is no name')]);
    }
  });

  it('takes nothing for granted that a query says where options are elsewhere', async () => {
    const prompts = async (query: string) => (await fetch(`${service.url}v1/prompts?${query}`)).status;
    expect([await prompts('model=toy'), await prompts('model=none')]).toEqual([200, 404]);
    expect([await prompts('modle=toy'), await prompts('model=toy&model=toy')]).toEqual([400, 400]);
    const init = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    const infer = await fetch(`${service.url}v2/models/toy/infer?threshold=0.9`, init);
    expect([infer.status, await infer.json()]).toEqual([
      400,
      { error: expect.stringContaining('in its query') },
    ]);
  });

  it('refuses a choice that the form and the query both make', async () => {
    const answer = await ask(form({ a: bright }, { threshold: '0.5' }), '?threshold=0.6');
    expect([answer.status, answer.json.error.message]).toEqual([
      400,
      'the option "threshold" is given twice',
    ]);
  });

  it.each([
    ['no JSON', '{', 'E_HTTP_REQUEST'],
    ['a list', '[]', 'E_HTTP_REQUEST'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'E_HTTP_REQUEST'],
    ['no pictures', '{}', 'E_USAGE'],
    ['an empty list', '{"pictures":[]}', 'E_HTTP_REQUEST'],
    ['a picture without data', '{"pictures":[{}]}', 'E_USAGE'],
    ['null as a picture', '{"pictures":[null]}', 'E_USAGE'],
    ['no base64', '{"pictures":[{"data":"***"}]}', 'E_HTTP_REQUEST'],
    ['a strange field', '{"pictures":[{"data":"aaaa","path":"/etc"}]}', 'E_USAGE'],
    ['an option twice', '{"threshold":0.01,"threshold":0.9,"pictures":[{"data":"aaaa"}]}', 'E_HTTP_REQUEST'],
    ['pictures twice', '{"pictures":[{"data":"aaaa"}],"pictures":[{"data":"bbbb"}]}', 'E_HTTP_REQUEST'],
    ['data twice', '{"pictures":[{"data":"aaaa","data":"bbbb"}]}', 'E_HTTP_REQUEST'],
    ['a label', '{"pictures":[{"data":"aaaa","label":"good"}]}', 'E_USAGE'],
    ['thousands of blocks', `{"features":[${'4,'.repeat(4000)}4],"pictures":[{"data":"aaaa"}]}`, 'E_USAGE'],
    ['windows', '{"method":"winclip","windowSides":[1,2],"pictures":[{"data":"aaaa"}]}', 'E_USAGE'],
    ['a temperature near 0', '{"temperature":1e-300,"pictures":[{"data":"aaaa"}]}', 'E_USAGE'],
    ['a prototype', '{"__proto__":{"map":true},"pictures":[{"data":"aaaa"}]}', 'E_USAGE'],
  ])('refuses JSON with %s', async (_what, body, code) => {
    const answer = await ask(typeof body === 'string' ? body : new Uint8Array(body), '', {
      'content-type': 'application/json',
    });
    expect([answer.status, answer.json.error.code]).toEqual([400, code]);
  });

  it('tells what else there is to know', async () => {
    const get = async (path: string) => (await fetch(service.url + path)).json();
    expect(await get('healthz')).toEqual({ status: 'alive' });
    expect(await get('readyz')).toEqual({ status: 'ready' });
    expect(await get('v1/models')).toMatchObject({
      models: [{ name: 'toy', prompts: ['plain', 'other'], threshold: 0.5 }],
    });
    expect(await get('v1/models/toy')).toMatchObject({ name: 'toy', defaultPrompts: 'plain' });
    expect(await get('v1/prompts')).toEqual({
      model: 'toy',
      default: 'plain',
      prompts: [
        { name: 'plain', learnedOn: ['toys'] },
        { name: 'other', learnedOn: ['games'] },
      ],
    });
    const figures = await (await fetch(`${service.url}metrics`)).text();
    expect(figures).toMatch(/crane_pictures_total\{model="toy"\} [1-9]/);
    expect(figures).toMatch(/crane_batch_pictures_count [1-9]/);
    expect(figures).toMatch(/crane_rejected_total\{reason="E_USAGE"\} [1-9]/);
  });
});

describe('a part of a picture', () => {
  const half = () =>
    sharp({ create: { width: 32, height: 24, channels: 3, background: 'black' } })
      .composite([
        { input: { create: { width: 16, height: 24, channels: 3, background: 'white' } }, left: 0, top: 0 },
      ])
      .removeAlpha()
      .png()
      .toBuffer();

  it('is a region of interest of the query, which the result names', async () => {
    const picture = await half();
    const { json: told } = await raw('?roi=16,0,16,24&regions=true', {}, picture);
    expect(told).toMatchObject({
      score: expect.closeTo(0, 2),
      width: 32,
      height: 24,
      roi: { x: 16, y: 0, width: 16, height: 24 },
      regions: [],
    });
    expect((await raw('?roi=16,0,17,24', {}, picture)).json.error.code).toBe('E_IMAGE_SHAPE');
    expect((await raw('?roi=16,0,17', {}, picture)).json.error.code).toBe('E_USAGE');
    expect((await raw('?roi=0,0,99999999999,8', {}, picture)).status).toBe(400);
  });

  it('is what a mask beside the pictures leaves, in a form and in JSON', async () => {
    const picture = await half();
    const both = form({ a: picture, b: bright }, { regions: 'true' });
    both.append('ignore', new Blob([new Uint8Array(picture)]), 'mask.png');
    const { json: told } = await ask(both);
    expect(told.results).toMatchObject([
      { input: 'a', score: expect.closeTo(0, 2), regions: [], ignoredPixels: 16 * 24 },
      { input: 'b', score: expect.closeTo(0.8, 2), ignoredPixels: 16 * 24 },
    ]);
    const mask = picture.toString('base64');
    const inJson = await json({ pictures: [{ data: mask }], ignore: mask });
    expect(inJson.json.results).toMatchObject([{ score: expect.closeTo(0, 2), ignoredPixels: 16 * 24 }]);
    both.append('ignore', new Blob([new Uint8Array(picture)]), 'second.png');
    expect((await ask(both)).json.error.code).toBe('E_HTTP_REQUEST');
    const broken = form({ 'a.png': picture });
    broken.append('ignore', new Blob(['no picture']), 'mask.png');
    expect((await ask(broken)).json.results).toMatchObject([
      { error: { code: 'E_IMAGE_DECODE', message: expect.stringMatching(/^the mask "ignore" of a\.png: /) } },
    ]);
    const alone = new FormData();
    alone.append('ignore', new Blob([new Uint8Array(picture)]), 'mask.png');
    expect((await ask(alone)).json.error.code).toBe('E_HTTP_REQUEST');
    expect((await json({ pictures: [{ data: mask }], ignore: 'no base64!!' })).json.error.code).toBe(
      'E_HTTP_REQUEST',
    );
  });
});
