/** Pictures of servers that announce more than anybody has memory for. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bytesAt } from '../../../src/sources/address-bytes.js';
import { openStore } from '../../../src/stores/open-store.js';

let server: Server;
const asked: string[] = [];
/** logins and addresses of those who ask for what is not there */
const given: [string, string][] = [];
let origin = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url!.split('?')[0]}`);
    if (request.url!.startsWith('/none.png')) {
      given.push([request.headers.authorization ?? '', request.url!]);
      response.writeHead(404).end();
      return;
    }
    const isHuge = request.url!.includes('huge');
    response.writeHead(200, { 'content-length': isHuge ? 200e9 : 3 });
    response.write('abc');
    if (!isHuge) response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Read once, by the first who connects.
  Object.assign(process.env, {
    NO_PROXY: '127.0.0.1',
    AWS_ENDPOINT_URL: origin,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
});
afterAll(() => server.close().closeAllConnections());
beforeEach(() => asked.splice(0));

const at = (scheme: string, name: string) =>
  scheme === 's3' ? `s3://parts/${name}` : `${origin}/parts/${name}`;

describe.each(['s3', 'http'])('a picture by %s', (scheme) => {
  it('is read whole', async () => {
    expect(Buffer.from(await bytesAt(at(scheme, 'small.png'))).toString()).toBe('abc');
  });

  it('of 200 GB is refused at once, and not asked for again', async () => {
    const address = at(scheme, 'huge.tif');
    await expect(bytesAt(address)).rejects.toMatchObject({
      code: 'E_IMAGE_TOO_LARGE',
      message: `${address}: more than the 1073741824 bytes that are read of one file`,
    });
    expect(asked).toEqual(['GET /parts/huge.tif']);
  });
});

it('what is told of an address holds no password and no signature', async () => {
  const none = `${origin.replace('//', '//me:secret@')}/none.png?sig=secret`;
  const fault = await bytesAt(none).catch((thrown: unknown) => thrown);
  expect(fault).toMatchObject({
    code: 'E_INPUT_NOT_FOUND',
    message: `${origin}/none.png: ${origin}/none.png answered 404`,
  });
  expect(given).toEqual([[`Basic ${Buffer.from('me:secret').toString('base64')}`, '/none.png?sig=secret']]);
  await expect(bytesAt('http://me:sec/ret@[bad/a.png?sig=secret')).rejects.toMatchObject({
    code: 'E_INPUT_URL',
    message: 'http://[bad/a.png: not a URL',
  });
  await expect(openStore('ftp://me:secret@host/a')).rejects.toMatchObject({
    message: expect.stringMatching(/^ftp:\/\/host\/a: /),
  });
  await expect(openStore('s3://key:secret@bucket/a')).rejects.toMatchObject({
    message: 's3://bucket/a: expected s3://BUCKET/KEY',
  });
});

it('a record of a bucket is refused likewise', async () => {
  const store = await openStore('s3://parts/out');
  await expect(store.read('huge.json')).rejects.toMatchObject({ code: 'E_IO_READ' });
  expect(Buffer.from(await store.read('small.json')).toString()).toBe('abc');
  expect(asked).toEqual(['GET /parts/out/huge.json', 'GET /parts/out/small.json']);
});
