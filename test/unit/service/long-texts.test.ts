/** Texts of millions of letters take no more time than their length: one request holds nobody up. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nearestName } from '../../../src/nearest-name.js';
import { fromBase64 } from '../../../src/service/requests/read-pictures.js';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let service: FakeService;
let picture: string;
beforeAll(async () => {
  const dataFolder = await mkdtemp(join(toy.folder, 'data-'));
  const limits = { maxBody: 2 ** 23, maxJsonBody: 2 ** 23, maxHeldBytes: 2 ** 25 };
  service = await startFakeService(toy.model, { dataFolder, ...limits });
  picture = (await png(90)).toString('base64');
});
afterAll(async () => {
  await service.stop();
});

/** What takes the square of it would be at it for minutes. */
const k_long = 2 ** 20;
const answer = async (path: string, given: object | string) => {
  const headers = { 'content-type': 'application/json' };
  const body = typeof given === 'string' ? given : JSON.stringify(given);
  const reply = await fetch(service.url + path, { method: 'POST', headers, body });
  const text = await reply.text();
  // What is wrong is told without it.
  expect(text.length).toBeLessThan(2000);
  const { error } = JSON.parse(text) as { error: string | { code: string; message: string } };
  const [code, message] = typeof error === 'string' ? error.split(': ') : [error.code, error.message];
  return { status: reply.status, code, message };
};
const post = async (path: string, given: object | string) => {
  const { status, code } = await answer(path, given);
  return [status, code];
};
/** Before it is asked whether it is a right value. */
const tooLong = {
  status: 400,
  code: 'E_USAGE',
  message: expect.stringMatching(/^the option "\w+" is longer than 4096 characters$/),
};

describe('base64', () => {
  const signs = `${'='.repeat(k_long)}A`;
  it.each([
    ['v1/score', { pictures: [{ data: signs }] }],
    ['v1/score', { pictures: [{ data: 'QUJD' }], ignore: signs }],
    ['v1/normals', { name: 'n', pictures: [{ data: signs }] }],
    ['v1/calibrations', { name: 'c', pictures: [{ data: signs, label: 'good' }] }],
    ['v2/models/toy/infer', { inputs: [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], data: [signs] }] }],
  ])('of %s that is a row of signs is refused at once', async (path, body) => {
    expect(await post(path, body)).toEqual([400, 'E_HTTP_REQUEST']);
  });

  it.each([
    ['', ''],
    ['QQ==', 'A'],
    ['QQ', 'A'],
    ['QUI=', 'AB'],
    ['QUJD', 'ABC'],
  ])('%j is %j', (text, bytes) => {
    expect(Buffer.from(fromBase64(text, 'x')).toString()).toBe(bytes);
  });

  it.each(['A', 'QUJDR', 'QQ===', 'Q=Q=', 'QU JD', 'QUJD====', '%%%%'])('%j is none', (text) => {
    expect(() => fromBase64(text, 'x')).toThrow('x is not base64');
  });
});

describe('an option', () => {
  const long = 'y'.repeat(k_long);
  const digits = `${'1'.repeat(k_long)}x`;
  it.each([
    ['a text', { className: long }],
    ['a list', { features: Array(k_long).fill(1) }],
    ['an object', { roi: { x: 0, y: 0, width: 8, height: 8, [long]: [[long]] } }],
    ['a list of lists', `{"pictures":[],"features":${'['.repeat(k_long)}${']'.repeat(k_long)}}`],
  ])('that is %s', async (_what, options) => {
    const body = typeof options === 'string' ? options : { pictures: [{ data: picture }], ...options };
    expect(await answer('v1/score', body)).toEqual(tooLong);
  });

  it.each([
    ['an unknown name', { [long]: 1 }],
    ['no list of pictures', { pictures: Object.fromEntries([[long, 1]]) }],
  ])('that is %s', async (_what, options) => {
    expect(await post('v1/score', { pictures: [{ data: picture }], ...options })).toEqual([400, 'E_USAGE']);
  });

  it.each(['threshold', 'sigma', 'valueRange', 'bitDepth', 'roi'])('that is %s in digits', async (name) => {
    const inputs = [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], data: [picture] }];
    const body = { inputs, parameters: { [name]: digits } };
    expect(await answer('v2/models/toy/infer', body)).toEqual(tooLong);
  });

  it('of the longest text is read, of one letter more it is not', async () => {
    const body = (className: string) => ({ pictures: [{ data: picture }], className });
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body('y'.repeat(4096))) };
    expect((await fetch(`${service.url}v1/score`, init)).status).toBe(200);
    expect(await answer('v1/score', body('y'.repeat(4097)))).toEqual(tooLong);
  });
});

it('nothing is near a text that is longer than any name', () => {
  expect(nearestName(`${'y'.repeat(79)}z`, ['y'.repeat(80)])).toBe('y'.repeat(80));
  expect(nearestName(`${'y'.repeat(80)}z`, ['y'.repeat(81)])).toBeUndefined();
});
