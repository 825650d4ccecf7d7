/** Banks that clients added: restarts, limits, and processes that end in the middle. */
import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KeptFolder } from '../../../src/service/kept/kept-folder.js';
import { bankService, form, good, other, type Reply } from './bank-service.js';
import { startFakeService, until } from './fake-service.js';

const banks = bankService();
const { start, startWithoutFolder, ask, add, remove, score, names } = banks;

describe('what is kept', () => {
  it('outlives the engine and the service', async () => {
    const dataFolder = await start();
    await add('part', [good, other]);
    banks.service.crash();
    await until(() => banks.service.starts === 2 && banks.service.service.supervisor.isReady);
    expect((await score('normals=part')).body['score']).toBeCloseTo(0, 5);
    await banks.service.stop();
    await start({ dataFolder });
    expect(await names()).toEqual(['part']);
    expect((await score('normals=part')).body['score']).toBeCloseTo(0, 5);
  });

  it('says after a restart too what is left out of each picture', async () => {
    const dataFolder = await start();
    const made = await add('part', [good, other], { bankForeground: true });
    const leftOut = { leftOut: expect.any(Number), patches: expect.any(Number) };
    expect([made.status, made.body]).toMatchObject([201, { foreground: true, pictures: [leftOut, leftOut] }]);
    await banks.service.stop();
    await start({ dataFolder });
    expect((await ask('v1/normals/part')).body).toEqual(made.body);
    expect((await score('normals=part')).body['backgroundPatches']).toEqual(expect.any(Number));
  });

  it('is nothing where it could not be read again, which is no fault of the disk', async () => {
    const folder = join(banks.folder, 'odd');
    const about = z.strictObject({ name: z.string(), bytes: z.int(), known: z.boolean() });
    const parts = { folder, what: 'bank', about, limits: { count: 2, bytes: 100 } };
    const kept = await KeptFolder.open(parts);
    const odd = kept.add('odd', async () => ({ known: true, forgotten: 1 }));
    await expect(odd).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: expect.stringContaining('"forgotten"'),
    });
    expect([kept.list(), await readdir(folder)]).toEqual([[], []]);
    expect(await kept.add('even', async () => ({ known: true }))).toMatchObject({ name: 'even' });
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
    await until(() => banks.service.service.supervisor.inFlight === 1);
    // One at a time: the limits hold exactly.
    const second = await add('second');
    expect([second.status, second.body.error?.code]).toEqual([429, 'E_QUEUE_FULL']);
    banks.service.crash();
    expect((await learning).status).toBe(503);
    expect(await readdir(join(dataFolder, 'normals'))).toEqual([]);
    isHeld = false;
    await until(() => banks.service.starts === 2 && banks.service.service.supervisor.isReady);
    expect((await add('part')).status).toBe(201);
  });

  it('is nothing when the client goes while it is learned', async () => {
    const dataFolder = await start({}, { onLearn: () => new Promise<void>(() => {}) });
    const leave = new AbortController();
    const asked = ask('v1/normals', { method: 'POST', body: form('part', [good]), signal: leave.signal });
    await until(() => banks.service.service.supervisor.inFlight === 1);
    leave.abort();
    await expect(asked).rejects.toThrow();
    banks.service.crash();
    await until(() => banks.service.service.admission.pictures === 0);
    expect(await names()).toEqual([]);
    await until(() => readdirSync(join(dataFolder, 'normals')).length === 0);
  });

  it('half of a bank that a killed service left is taken away, a damaged one is told and not served', async () => {
    const dataFolder = await start();
    await add('part');
    await banks.service.stop();
    const at = join(dataFolder, 'normals');
    await mkdir(join(at, '.half.0123.new'));
    await writeFile(join(at, '.half.0123.new', 'bank.safetensors'), 'half');
    await mkdir(join(at, 'damaged'));
    await writeFile(join(at, 'damaged', 'about.json'), '{"name":"other"');
    await start({ dataFolder });
    expect(await names()).toEqual(['part']);
    expect((await readdir(at)).sort()).toEqual(['damaged', 'part']);
    expect(banks.service.log().find(({ msg }) => String(msg).includes('damaged'))).toMatchObject({
      bank: 'damaged',
      level: 'error',
    });
    expect((await score('normals=damaged')).status).toBe(404);
    expect((await add('damaged')).body.error?.code).toBe('E_EXISTS');
  });

  it('belongs to one service at a time', async () => {
    const dataFolder = await start();
    await expect(startFakeService(banks.model, { dataFolder })).rejects.toMatchObject({
      code: 'E_IN_USE',
      hint: expect.stringContaining('--data-folder'),
    });
    await banks.service.stop();
    await start({ dataFolder });
    expect(banks.service.starts).toBe(1);
  });

  it('is removed once, however many ask at once, and requests that are at work with it are answered', async () => {
    const dataFolder = await start({}, { passMs: 30 });
    await add('part');
    await score('normals=part');
    const asked = Array.from({ length: 12 }, () => score('normals=part'));
    await until(() => banks.service.log().filter(({ msg }) => msg === 'answered').length >= 4);
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
    await banks.service.stop();
    const used = JSON.parse(await readFile(join(dataFolder, 'normals/a/about.json'), 'utf8')).bytes as number;
    // Room for three and a half of them.
    await start({
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
    await startWithoutFolder();
    expect((await ask('v1/normals')).body).toEqual({ normals: [], limits: null, mayWrite: false });
    for (const reply of [await add('a'), await remove('a'), await score('normals=a')]) {
      expect([reply.status, reply.body.error?.code]).toEqual([403, 'E_HTTP_RIGHT']);
      expect(reply.body.error!.hint).toContain('--data-folder');
    }
  });
});
