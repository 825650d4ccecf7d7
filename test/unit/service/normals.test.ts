/** Banks of normal pictures that clients add: names, rights, limits, restarts, and processes that end in the middle. */

import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';
import { type FakeService, png, startFakeService, until } from './fake-service.js';

let folder: string;
let model: string;
let good: Uint8Array<ArrayBuffer>;
let other: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  folder = await makeToyFolder();
  await makeToyModel(folder);
  model = join(folder, 'model.json');
  good = new Uint8Array(await png(100));
  other = new Uint8Array(await png(200));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
let service: FakeService | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function start(settings: object = {}, behaviour: object = {}) {
  const dataFolder = await mkdtemp(join(folder, 'data-'));
  service = await startFakeService(model, { dataFolder, ...settings }, behaviour);
  return dataFolder;
}
interface Reply {
  status: number;
  body: Record<string, unknown> & { error?: { code: string; message: string; hint?: string } };
  headers: Headers;
}
async function ask(path: string, init: RequestInit = {}): Promise<Reply> {
  const reply = await fetch(`${service!.url}${path}`, init);
  const text = await reply.text();
  return { status: reply.status, body: text === '' ? {} : JSON.parse(text), headers: reply.headers };
}
function form(name: string | undefined, pictures: Uint8Array<ArrayBuffer>[], fields: object = {}) {
  const data = new FormData();
  if (name !== undefined) data.append('name', name);
  for (const [key, value] of Object.entries(fields)) data.append(key, String(value));
  for (const [at, picture] of pictures.entries()) data.append('picture', new Blob([picture]), `g${at}.png`);
  return data;
}
const add = (name: string | undefined, pictures = [good], fields: object = {}, headers = {}) =>
  ask('v1/normals', { method: 'POST', body: form(name, pictures, fields), headers });
const remove = (name: string, headers = {}) => ask(`v1/normals/${name}`, { method: 'DELETE', headers });
const score = (query: string, body = good) =>
  ask(`v1/score?${query}`, { method: 'POST', body, headers: { 'content-type': 'image/png' } });
const names = async () =>
  ((await ask('v1/normals')).body['normals'] as { name: string }[]).map(({ name }) => name);

describe('a bank', () => {
  it('is made, listed, told, compared with and removed by its name', async () => {
    await start();
    const made = await add('part', [good, other], { turns: 1, mirror: true });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/v1/normals/part']);
    expect(made.body).toMatchObject({ name: 'part', model: 'toy', turns: 1, mirror: true });
    expect(made.body['pictures']).toMatchObject([{ name: 'g0.png' }, { name: 'g1.png' }]);
    expect((await ask('v1/normals')).body).toMatchObject({
      normals: [{ name: 'part', pictures: 2 }],
      limits: { banks: 3, bytes: 2 ** 20, pictures: 4 },
      mayWrite: true,
    });
    expect((await ask('v1/normals/part')).body).toEqual(made.body);
    // The fake's distance is that of the nearest brightness.
    expect((await score('normals=part')).body['score']).toBeCloseTo(0, 5);
    const far = await score('normals=part', new Uint8Array(await png(150)));
    expect(far.body['score']).toBeCloseTo(50 / 255, 5);
    expect((await remove('part')).status).toBe(204);
    for (const gone of [await ask('v1/normals/part'), await remove('part'), await score('normals=part')])
      expect([gone.status, gone.body.error?.code]).toEqual([404, 'E_HTTP_NOT_FOUND']);
    expect(await names()).toEqual([]);
  });

  it('comes from JSON and from a raw picture too', async () => {
    await start();
    const data = Buffer.from(good).toString('base64');
    const json = await ask('v1/normals', {
      method: 'POST',
      body: JSON.stringify({ name: 'a', turns: 1, pictures: [{ name: 'one', data }] }),
      headers: { 'content-type': 'application/json' },
    });
    expect([json.status, json.body['pictures']]).toMatchObject([201, [{ name: 'one' }]]);
    const raw = await ask('v1/normals?name=b&turns=1', {
      method: 'POST',
      body: good,
      headers: { 'content-type': 'image/png' },
    });
    expect(raw.status).toBe(201);
    expect(await names()).toEqual(['a', 'b']);
  });

  it('gives thresholds for a rate, and is chosen by the other protocol too', async () => {
    await start();
    await add('part', [good, new Uint8Array(await png(110)), new Uint8Array(await png(90))]);
    const { body } = await score('normals=part&falseAlarmRate=0.25', new Uint8Array(await png(0)));
    expect([body['anomalous'], typeof body['threshold']]).toEqual([true, 'number']);
    const few = await score('normals=part&falseAlarmRate=0.01');
    expect([few.status, few.body.error?.code]).toEqual([400, 'E_CALIBRATE_TOO_FEW']);
    const inputs = [
      { name: 'IMAGE', datatype: 'BYTES', shape: [1], data: [Buffer.from(good).toString('base64')] },
    ];
    const inferred = await ask('v2/models/toy/infer', {
      method: 'POST',
      body: JSON.stringify({ inputs, parameters: { normals: 'part' } }),
      headers: { 'content-type': 'application/json' },
    });
    const [output] = inferred.body['outputs'] as { data: number[] }[];
    expect(output!.data[0]).toBeCloseTo(0, 5);
  });

  it('is not compared by what the operator chose for prompts', async () => {
    await start({
      models: [
        {
          name: 'toy',
          options: { model, prompts: 'other', threshold: 0.123, eAttnLayers: 3 },
          promptSets: {},
        },
      ],
    });
    await add('part');
    expect((await score('')).body['threshold']).toBe(0.123);
    const { status, body } = await score('normals=part');
    expect([status, body['threshold'], body['anomalous']]).toEqual([200, null, null]);
  });

  it('of another model is refused, without a path in the answer', async () => {
    const two = { model, size: 56 };
    const dataFolder = await start({
      models: [
        { name: 'toy', options: { model }, promptSets: {} },
        { name: 'small', options: two, promptSets: {} },
      ],
    });
    await add('part');
    const { status, body } = await score('normals=part&model=small');
    expect([status, body.error?.code]).toEqual([400, 'E_NORMALS']);
    expect(body.error!.message).toContain('bank "part": a bank of another model');
    expect(JSON.stringify(body)).not.toContain(dataFolder);
    expect((await add('b', [good], { model: 'small' })).body['model']).toBe('small');
    expect((await score('normals=b&model=small')).status).toBe(200);
  });
});

describe('evidence', () => {
  const code = ({ status, body }: Reply) => [status, body.error?.code];
  const methodsOf = () => service!.addon.log.prompts.map(({ method }) => method.name);

  it('of prompts and normal pictures together is asked for by each request', async () => {
    await start();
    const made = await add('together', [good, other], { turns: 1, evidence: 'both' });
    expect([made.status, made.body['evidence']]).toEqual([201, 'both']);
    const both = await score('normals=together&evidence=both');
    expect([both.status, methodsOf()]).toEqual([200, expect.arrayContaining(['both'])]);
    const alone = await score('normals=together');
    expect([alone.status, alone.body['model'] === both.body['model']]).toEqual([200, false]);
    expect((await score('normals=together&evidence=normals')).body['model']).toBe(alone.body['model']);
    expect((await score('evidence=prompts')).body['model']).toBe((await score('')).body['model']);
    const json = await ask('v1/score', {
      method: 'POST',
      body: JSON.stringify({
        pictures: [{ data: Buffer.from(good).toString('base64') }],
        normals: 'together',
        evidence: 'both',
        prompts: 'other',
      }),
      headers: { 'content-type': 'application/json' },
    });
    const [result] = json.body['results'] as { model: string; score: number }[];
    expect(result!.score).toBeTypeOf('number');
    expect(result!.model).not.toBe(both.body['model']);
    const inferred = await ask('v2/models/toy/infer', {
      method: 'POST',
      body: JSON.stringify({
        inputs: [
          { name: 'IMAGE', datatype: 'BYTES', shape: [1], data: [Buffer.from(good).toString('base64')] },
        ],
        parameters: { normals: 'together', evidence: 'both' },
      }),
      headers: { 'content-type': 'application/json' },
    });
    expect(inferred.status).toBe(200);
  });

  it('that nothing of the request can give is refused, and says how to get it', async () => {
    const dataFolder = await start();
    expect((await add('patches')).body['evidence']).toBe('normals');
    const refused = await score('normals=patches&evidence=both');
    expect(code(refused)).toEqual([400, 'E_NORMALS']);
    expect(refused.body.error!.hint).toContain('evidence=both');
    expect(JSON.stringify(refused.body)).not.toContain(dataFolder);
    for (const query of ['evidence=both', 'evidence=normals', 'normals=patches&evidence=prompts'])
      expect([query, ...code(await score(query))]).toEqual([query, 400, 'E_USAGE']);
    for (const query of ['evidence=all', 'evidence=', 'evidence=both&evidence=both'])
      expect((await score(query)).status).toBe(400);
    expect((await add('b', [good], { evidence: 'everything' })).status).toBe(400);
    expect(await names()).toEqual(['patches']);
  });

  it("takes the operator's prompts and settings where prompts speak too, and never the threshold", async () => {
    const options = { model, prompts: 'other', threshold: 0.123, eAttnLayers: 3 };
    const settings = { models: [{ name: 'toy', options, promptSets: {} }] };
    const dataFolder = await start(settings);
    await add('together', [good, other], { evidence: 'both' });
    const { status, body } = await score('normals=together&evidence=both');
    expect([status, body['threshold']]).toEqual([200, null]);
    const made = service!.addon.log.prompts.filter(({ method }) => method.name === 'both').at(-1)!;
    expect(made.method).toMatchObject({ eAttnLayers: 3 });
    expect(String(made.material.files['prompts'])).toContain('other');
    // What the bank holds beside patches was made by those settings: with others it is refused.
    expect(code(await score('normals=together&evidence=both&eAttnLayers=2'))).toEqual([400, 'E_NORMALS']);
    // It is there after a restart.
    await service!.stop();
    service = await startFakeService(model, { dataFolder, ...settings });
    expect((await ask('v1/normals/together')).body['evidence']).toBe('both');
    expect((await score('normals=together&evidence=both')).status).toBe(200);
  });

  it("reads normal pictures as the operator's camera gives them, as those that are scored", async () => {
    const settings = { models: [{ name: 'toy', options: { model, bitDepth: 12 }, promptSets: {} }] };
    const dataFolder = await start(settings);
    expect((await add('part')).status).toBe(201);
    expect((await score('normals=part')).status).toBe(200);
    expect((await score('normals=part&bitDepth=12')).status).toBe(200);
    expect(code(await score('normals=part&bitDepth=10'))).toEqual([400, 'E_NORMALS']);
    await service!.stop();
    service = await startFakeService(model, { dataFolder, ...settings });
    expect([await names(), (await score('normals=part')).status]).toEqual([['part'], 200]);
  });
});

describe('what is kept', () => {
  it('outlives the engine and the service', async () => {
    const dataFolder = await start();
    await add('part', [good, other]);
    service!.crash();
    await until(() => service!.starts === 2 && service!.service.supervisor.isReady);
    expect((await score('normals=part')).body['score']).toBeCloseTo(0, 5);
    await service!.stop();
    service = await startFakeService(model, { dataFolder });
    expect(await names()).toEqual(['part']);
    expect((await score('normals=part')).body['score']).toBeCloseTo(0, 5);
  });

  it('is nothing when the engine ends while it learns', async () => {
    let isHeld = true;
    const dataFolder = await start(
      {},
      {
        onLearn: () => (isHeld ? new Promise<void>(() => {}) : undefined),
      },
    );
    const learning = add('part');
    await until(() => service!.service.supervisor.inFlight === 1);
    // One at a time: the limits hold exactly.
    const second = await add('second');
    expect([second.status, second.body.error?.code]).toEqual([429, 'E_QUEUE_FULL']);
    service!.crash();
    expect((await learning).status).toBe(503);
    expect(await readdir(join(dataFolder, 'normals'))).toEqual([]);
    isHeld = false;
    await until(() => service!.starts === 2 && service!.service.supervisor.isReady);
    expect((await add('part')).status).toBe(201);
  });

  it('is nothing when the client goes while it is learned', async () => {
    const dataFolder = await start({}, { onLearn: () => new Promise<void>(() => {}) });
    const leave = new AbortController();
    const asked = ask('v1/normals', { method: 'POST', body: form('part', [good]), signal: leave.signal });
    await until(() => service!.service.supervisor.inFlight === 1);
    leave.abort();
    await expect(asked).rejects.toThrow();
    service!.crash();
    await until(() => service!.service.admission.pictures === 0);
    expect(await names()).toEqual([]);
    await until(() => readdirSync(join(dataFolder, 'normals')).length === 0);
  });

  it('half of a bank that a killed service left is taken away, a damaged one is told and not served', async () => {
    const dataFolder = await start();
    await add('part');
    await service!.stop();
    const at = join(dataFolder, 'normals');
    await mkdir(join(at, '.half.0123.new'));
    await writeFile(join(at, '.half.0123.new', 'bank.safetensors'), 'half');
    await mkdir(join(at, 'damaged'));
    await writeFile(join(at, 'damaged', 'about.json'), '{"name":"other"');
    service = await startFakeService(model, { dataFolder });
    expect(await names()).toEqual(['part']);
    expect((await readdir(at)).sort()).toEqual(['damaged', 'part']);
    expect(service.log().find(({ msg }) => String(msg).includes('damaged'))).toMatchObject({
      bank: 'damaged',
      level: 'error',
    });
    expect((await score('normals=damaged')).status).toBe(404);
    expect((await add('damaged')).body.error?.code).toBe('E_EXISTS');
  });

  it('belongs to one service at a time', async () => {
    const dataFolder = await start();
    await expect(startFakeService(model, { dataFolder })).rejects.toMatchObject({
      code: 'E_IN_USE',
      hint: expect.stringContaining('--data-folder'),
    });
    await service!.stop();
    service = await startFakeService(model, { dataFolder });
    expect(service.starts).toBe(1);
  });

  it('is removed once, however many ask at once, and requests that are at work with it are answered', async () => {
    const dataFolder = await start({}, { passMs: 30 });
    await add('part');
    await score('normals=part');
    const asked = Array.from({ length: 12 }, () => score('normals=part'));
    await until(() => service!.log().filter(({ msg }) => msg === 'answered').length >= 4);
    const gone = await Promise.all([remove('part'), remove('part'), remove('part')]);
    expect(gone.map(({ status }) => status).sort()).toEqual([204, 404, 404]);
    // Of those that were read before it went all have their score; the others are told, and none fails otherwise.
    const answers = (await Promise.all(asked)).map(({ status, body }) => [status, body.error?.code]);
    for (const answer of answers)
      expect([
        [200, undefined],
        [404, 'E_HTTP_NOT_FOUND'],
        [400, 'E_NORMALS'],
      ]).toContainEqual(answer);
    expect(answers).toContainEqual([200, undefined]);
    expect(await readdir(join(dataFolder, 'normals'))).toEqual([]);
    // Its name is free, and is another bank's then.
    expect((await add('part', [other])).status).toBe(201);
    expect((await score('normals=part')).body['score']).toBeCloseTo(100 / 255, 5);
  });

  it('is as much as the operator says', async () => {
    const dataFolder = await start();
    const refusal = async (reply: Reply) => [reply.status, reply.body.error?.code];
    expect(await refusal(await add('five', Array(5).fill(good)))).toEqual([409, 'E_HTTP_QUOTA']);
    for (const name of ['a', 'b', 'c']) expect((await add(name)).status).toBe(201);
    expect(await refusal(await add('d'))).toEqual([409, 'E_HTTP_QUOTA']);
    await remove('b');
    expect((await add('d')).status).toBe(201);
    await service!.stop();
    const used = JSON.parse(await readFile(join(dataFolder, 'normals/a/about.json'), 'utf8')).bytes as number;
    // Room for three and a half of them.
    service = await startFakeService(model, {
      maxBanks: 10,
      maxBankBytes: Math.round(3.5 * used),
      dataFolder,
    });
    const full = await add('e');
    expect(await refusal(full)).toEqual([409, 'E_HTTP_QUOTA']);
    expect(full.body.error!.message).toContain(`keeps ${3 * used} bytes`);
    expect(await names()).toEqual(['a', 'c', 'd']);
    expect((await readdir(join(dataFolder, 'normals'))).sort()).toEqual(['a', 'c', 'd']);
  });

  it('is nothing without a folder of the operator', async () => {
    service = await startFakeService(model);
    expect((await ask('v1/normals')).body).toEqual({ normals: [], limits: null, mayWrite: false });
    for (const reply of [await add('a'), await remove('a'), await score('normals=a')]) {
      expect([reply.status, reply.body.error?.code]).toEqual([403, 'E_HTTP_RIGHT']);
      expect(reply.body.error!.hint).toContain('--data-folder');
    }
  });
});

describe('names', () => {
  it.each([
    ['../evil'],
    ['..'],
    ['.hidden'],
    ['a/b'],
    ['/etc/passwd'],
    ['a\\b'],
    ['with space'],
    ['nul\0'],
    ['ä'],
    ['-x'],
    ['a'.repeat(65)],
    [''],
    ['%2e%2e'],
  ])('%j is none', async (name) => {
    const dataFolder = await start();
    const made = await add(name);
    expect([made.status, made.body.error?.code]).toEqual([400, 'E_USAGE']);
    expect(await readdir(join(dataFolder, 'normals'))).toEqual([]);
    const used = await score(`normals=${encodeURIComponent(name)}`);
    expect([400, 404]).toContain(used.status);
  });

  it('of files are never taken for paths', async () => {
    const dataFolder = await start();
    await add('part');
    const path = join(dataFolder, 'normals/part/bank.safetensors');
    for (const name of [path, 'part/bank.safetensors', '../normals/part', 'toString', '__proto__']) {
      expect((await score(`normals=${encodeURIComponent(name)}`)).status).toBe(404);
      expect((await remove(encodeURIComponent(name))).status).toBe(404);
    }
    expect(await names()).toEqual(['part']);
  });

  it('that are taken are refused, also when two come at once', async () => {
    await start();
    expect((await add(undefined)).body.error?.message).toContain('no name');
    const made = await Promise.all(Array.from({ length: 6 }, () => add('part')));
    expect(made.filter(({ status }) => status === 201).length).toBe(1);
    for (const { status } of made) expect([201, 409, 429]).toContain(status);
    const taken = await add('part');
    expect([taken.status, taken.body.error?.code]).toEqual([409, 'E_EXISTS']);
    // Added and removed over and over, while others ask.
    await Promise.all([
      ...Array.from({ length: 20 }, async (_, at) => {
        const { status } = at % 2 === 0 ? await remove('part') : await add('part');
        expect([201, 204, 404, 409, 429]).toContain(status);
      }),
      ...Array.from({ length: 20 }, async () => {
        const { status } = await score('normals=part');
        expect([200, 400, 404]).toContain(status);
      }),
    ]);
    const left = await names();
    expect(left.length).toBeLessThanOrEqual(1);
    for (const name of left) expect((await score(`normals=${name}`)).status).toBe(200);
  });
});

describe('the right to write', () => {
  const reads = 'a-token-that-only-asks';
  const writes = 'a-token-that-may-write';
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it('belongs to tokens that the operator marks', async () => {
    const tokenFile = join(folder, 'tokens-with-rights');
    await writeFile(tokenFile, `${reads}\n${writes}   write\n`);
    const dataFolder = await start({ tokenFile });
    const refused = await add('part', [good], {}, bearer(reads));
    expect([refused.status, refused.body.error?.code]).toEqual([403, 'E_HTTP_RIGHT']);
    expect((await add('part', [good], {}, bearer('a-token-of-nobody'))).status).toBe(401);
    expect((await add('part')).status).toBe(401);
    expect(await readdir(join(dataFolder, 'normals'))).toEqual([]);
    expect((await add('part', [good], {}, bearer(writes))).status).toBe(201);
    expect((await remove('part', bearer(reads))).status).toBe(403);
    const told = async (token: string) => {
      const { status, body } = await ask('v1/normals', { headers: bearer(token) });
      return [status, body['mayWrite']];
    };
    expect(await told(reads)).toEqual([200, false]);
    expect(await told(writes)).toEqual([200, true]);
    // Taken back while the service runs.
    await writeFile(tokenFile, `${reads}\n${writes}\n`);
    await service!.reload();
    expect((await remove('part', bearer(writes))).status).toBe(403);
    expect((await ask('v1/normals/part', { headers: bearer(writes) })).status).toBe(200);
  });

  it('belongs to nobody where others come without a token', async () => {
    await start({ host: '0.0.0.0', insecure: true });
    const refused = await add('part');
    expect([refused.status, refused.body.error?.code]).toEqual([403, 'E_HTTP_RIGHT']);
    expect((await ask('v1/normals')).body['mayWrite']).toBe(false);
  });
});

it('takes no option that is of scoring, and scoring none that is of learning', async () => {
  await start();
  expect((await add('part', [good], { threshold: 0.4 })).body.error?.code).toBe('E_USAGE');
  expect((await add('part', [good], { turns: 0 })).body.error?.code).toBe('E_USAGE');
  expect((await score('turns=1')).body.error?.code).toBe('E_USAGE');
  expect((await score('name=x')).body.error?.code).toBe('E_USAGE');
  expect((await add('part', [new Uint8Array(3)])).body.error?.code).toBe('E_IMAGE_DECODE');
  expect(await names()).toEqual([]);
});
