/** Pictures of servers that announce more than anybody has memory for. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bytesAt } from '../../../src/sources/address-bytes.js';
import { openStore } from '../../../src/stores/open-store.js';

let server: Server;
const asked: string[] = [];
let origin = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url!.split('?')[0]}`);
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

it('a record of a bucket is refused likewise', async () => {
  const store = await openStore('s3://parts/out');
  await expect(store.read('huge.json')).rejects.toMatchObject({ code: 'E_IO_READ' });
  expect(Buffer.from(await store.read('small.json')).toString()).toBe('abc');
  expect(asked).toEqual(['GET /parts/out/huge.json', 'GET /parts/out/small.json']);
});
