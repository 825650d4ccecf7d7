/** Banks of normal pictures that clients add: what they are asked for by, their names, and who may write. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bankService, form, good, other, picture } from './bank-service.js';

const banks = bankService();
const { start, ask, add, remove, score, names } = banks;

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
    const far = await score('normals=part', await picture(150));
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

  it('learns no picture that is called bad, and no mask, as a good one', async () => {
    await start();
    const data = Buffer.from(other).toString('base64');
    for (const label of ['good', 'bad']) {
      const json = await ask('v1/normals', {
        method: 'POST',
        body: JSON.stringify({ name: 'part', pictures: [{ data }, { data, label }] }),
        headers: { 'content-type': 'application/json' },
      });
      expect([json.status, json.body.error?.code]).toEqual([400, 'E_USAGE']);
    }
    for (const field of ['good', 'bad', 'ignore', 'file']) {
      const body = form('part', [good]);
      body.append(field, new Blob([other]), 'odd.png');
      const { status, body: told } = await ask('v1/normals', { method: 'POST', body });
      expect([status, told.error]).toEqual([
        400,
        {
          code: 'E_HTTP_REQUEST',
          message: `odd.png: pictures of the field "${field}" are not taken here`,
          hint: 'send pictures as the field "picture"',
        },
      ]);
    }
    expect(await names()).toEqual([]);
  });

  it('gives thresholds for a rate, and is chosen by the other protocol too', async () => {
    await start();
    await add('part', [good, await picture(110), await picture(90)]);
    const { body } = await score('normals=part&falseAlarmRate=0.25', await picture(0));
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
          options: { model: banks.model, prompts: 'other', threshold: 0.123, eAttnLayers: 3 },
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
    const two = { model: banks.model, size: 56 };
    const dataFolder = await start({
      models: [
        { name: 'toy', options: { model: banks.model }, promptSets: {} },
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
    const tokenFile = join(banks.folder, 'tokens-with-rights');
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
    await banks.service.reload();
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
