/** Thresholds that clients choose by labelled pictures. */
import { readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
const pictures = new Map<number, Uint8Array<ArrayBuffer>>();
beforeAll(async () => {
  for (const brightness of [20, 40, 60, 80, 100, 150, 200, 220])
    pictures.set(brightness, new Uint8Array(await png(brightness)));
});
let service: FakeService | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function start(settings: object = {}) {
  const dataFolder = await mkdtemp(join(toy.folder, 'data-'));
  service = await startFakeService(toy.model, { dataFolder, ...settings });
  return dataFolder;
}
async function ask(path: string, init: RequestInit = {}) {
  const reply = await fetch(`${service!.url}${path}`, init);
  const text = await reply.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  const { code, message } = (body['error'] ?? {}) as { code?: string; message?: string };
  return { status: reply.status, body, code, message, headers: reply.headers };
}
function add(name: string, good: number[], bad: number[], fields: Record<string, string> = {}, query = '') {
  const form = new FormData();
  form.append('name', name);
  for (const [key, value] of Object.entries(fields)) form.append(key, value);
  for (const [label, list] of [
    ['good', good],
    ['bad', bad],
  ] as const)
    for (const one of list) form.append(label, new Blob([pictures.get(one)!]), `${one}.png`);
  return ask(`v1/calibrations${query}`, { method: 'POST', body: form });
}
const score = (query: string, brightness: number) =>
  ask(`v1/score?${query}`, {
    method: 'POST',
    body: pictures.get(brightness)!,
    headers: { 'content-type': 'image/png' },
  });

describe('a calibration', () => {
  it('of good and bad pictures has the threshold of best F1, and is used by its name', async () => {
    await start();
    const made = await add('part', [20, 40, 60], [150, 200], { sigma: '2' });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/v1/calibrations/part']);
    const { image, settings, ...about } = made.body as {
      image: { threshold: number; f1: number };
      settings: string;
    };
    expect(about).toMatchObject({
      name: 'part',
      model: 'toy',
      rule: 'best-f1',
      falseAlarmRate: null,
      pictures: { normal: 3, anomalous: 2 },
      map: null,
      options: { sigma: 2 },
    });
    expect(image.f1).toBe(1);
    expect(image.threshold).toBeGreaterThan(60 / 255);
    expect(image.threshold).toBeLessThanOrEqual(150 / 255 + 0.001);
    expect((await ask('v1/calibrations')).body).toEqual({ calibrations: [made.body] });
    expect((await ask('v1/calibrations/part')).body).toEqual(made.body);
    for (const [brightness, anomalous] of [
      [60, false],
      [150, true],
      [220, true],
    ] as const) {
      const { body } = await score('calibration=part', brightness);
      expect([body['model'], body['threshold'], body['anomalous']]).toEqual([
        settings,
        image.threshold,
        anomalous,
      ]);
    }
  });

  it('of good pictures alone holds a rate, for maps too', async () => {
    await start();
    const { status, body } = await add('part', [20, 40, 60, 80], [], { falseAlarmRate: '0.2' });
    expect([status, body['rule'], body['falseAlarmRate']]).toEqual([201, 'false-alarm-rate', 0.2]);
    const { image, map } = body as { image: { threshold: number; rank: number }; map: { threshold: number } };
    // Just above the highest of the four.
    expect(image.rank).toBe(4);
    expect((await score('calibration=part', 80)).body['anomalous']).toBe(false);
    const { body: above } = await score('calibration=part&regions=true', 100);
    expect(above['anomalous']).toBe(true);
    expect(above['regions']).toHaveLength(1);
    expect(map.threshold).toBeGreaterThan(80 / 255 - 0.01);
    const few = await add('few', [20, 40], [], { falseAlarmRate: '0.2' });
    expect([few.status, few.code]).toEqual([400, 'E_CALIBRATE_TOO_FEW']);
  });

  it('holds for its own settings alone, and for no second threshold', async () => {
    await start();
    await add('part', [20, 40, 60], [150, 200], { sigma: '2' });
    const other = await score('calibration=part&sigma=1', 150);
    expect([other.status, other.code]).toEqual([400, 'E_USAGE']);
    expect(other.message).toContain('the calibration holds for toy@');
    for (const own of ['threshold=0.4', 'mapThreshold=0.4', 'falseAlarmRate=0.2'])
      expect((await score(`calibration=part&${own}`, 150)).code).toBe('E_USAGE');
    expect((await score('calibration=none', 150)).code).toBe('E_HTTP_NOT_FOUND');
  });

  it('may be of a bank; another bank under its name is refused', async () => {
    await start();
    const learn = async (brightness: number) => {
      const body = pictures.get(brightness)!;
      const headers = { 'content-type': 'image/png' };
      return (await ask('v1/normals?name=good', { method: 'POST', body, headers })).status;
    };
    expect(await learn(20)).toBe(201);
    expect((await add('part', [20, 40], [200, 220], { normals: 'good' })).body['normals']).toBe('good');
    expect((await score('calibration=part', 40)).body['anomalous']).toBe(false);
    expect((await score('calibration=part', 220)).body['anomalous']).toBe(true);
    await ask('v1/normals/good', { method: 'DELETE' });
    expect((await score('calibration=part', 40)).status).toBe(404);
    expect(await learn(200)).toBe(201);
    expect((await score('calibration=part', 40)).code).toBe('E_USAGE');
  });

  it('outlives the service, and is removed by its name', async () => {
    const dataFolder = await start();
    await add('part', [20, 40, 60], [150, 200]);
    await service!.stop();
    service = await startFakeService(toy.model, { dataFolder });
    expect((await score('calibration=part', 200)).body['anomalous']).toBe(true);
    expect((await ask('v1/calibrations/part', { method: 'DELETE' })).status).toBe(204);
    expect((await score('calibration=part', 200)).status).toBe(404);
    expect(readdirSync(join(dataFolder, 'calibrations'))).toEqual([]);
  });

  it('comes from JSON too', async () => {
    await start();
    const of = (brightness: number, label: string) => ({
      name: `${brightness}`,
      label,
      data: Buffer.from(pictures.get(brightness)!).toString('base64'),
    });
    const send = (list: object[]) =>
      ask('v1/calibrations', {
        method: 'POST',
        body: JSON.stringify({ name: 'part', pictures: list }),
        headers: { 'content-type': 'application/json' },
      });
    expect((await send([of(20, 'good'), of(200, 'odd')])).code).toBe('E_USAGE');
    expect((await send([of(20, 'good'), of(200, 'bad')])).status).toBe(201);
  });

  it('is refused where it can say nothing, and nothing of it is kept', async () => {
    const dataFolder = await start();
    const refused = async (...given: Parameters<typeof add>) => (await add(...given)).code;
    expect(await refused('part', [], [200])).toBe('E_DATA_ONE_CLASS');
    expect(await refused('part', [40], [40])).toBe('E_CALIBRATE_SCORES');
    expect(await refused('part', [20], [200], { falseAlarmRate: '0.5' })).toBe('E_USAGE');
    expect(await refused('part', [20], [200], { threshold: '0.5' })).toBe('E_USAGE');
    expect(await refused('../part', [20], [200])).toBe('E_USAGE');
    const form = new FormData();
    form.append('name', 'part');
    form.append('picture', new Blob([pictures.get(20)!]), 'a.png');
    expect((await ask('v1/calibrations', { method: 'POST', body: form })).code).toBe('E_HTTP_REQUEST');
    const broken = new FormData();
    broken.append('name', 'part');
    broken.append('good', new Blob([pictures.get(20)!]), 'a.png');
    broken.append('bad', new Blob(['nothing']), 'b.png');
    const { code, message } = await ask('v1/calibrations', { method: 'POST', body: broken });
    expect([code, message]).toEqual(['E_IMAGE_DECODE', expect.stringContaining('b.png')]);
    expect(readdirSync(join(dataFolder, 'calibrations'))).toEqual([]);
  });

  it('is one of as many as the operator allows', async () => {
    await start();
    for (const name of ['a', 'b']) expect((await add(name, [20], [200])).status).toBe(201);
    expect((await add('c', [20], [200])).code).toBe('E_HTTP_QUOTA');
    expect((await add('a', [20], [200])).code).toBe('E_EXISTS');
  });
});
