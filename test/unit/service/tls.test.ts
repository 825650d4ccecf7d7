import { rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ownCertificate } from './certificate.js';
import { type FakeService, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let files: { tlsCert: string; tlsKey: string };
beforeAll(async () => {
  files = { tlsCert: join(toy.folder, 'cert.pem'), tlsKey: join(toy.folder, 'key.pem') };
});
let service: FakeService | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function renew(): Promise<string> {
  const { cert, key } = ownCertificate();
  await writeFile(files.tlsCert, cert);
  await writeFile(files.tlsKey, key);
  return cert;
}
/** On a connection of its own, checked against `ca`. */
function ask(ca: string): Promise<{ status: number | undefined; isChecked: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${service!.url}healthz`, { ca, agent: false }, (reply) => {
      reply.resume();
      resolve({ status: reply.statusCode, isChecked: (reply.socket as TLSSocket).authorized });
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('TLS', () => {
  it('is spoken with the certificate of the operator, and with a renewed one without an end', async () => {
    const first = await renew();
    service = await startFakeService(toy.model, files);
    expect(service.url).toMatch(/^https:/);
    expect(await ask(first)).toEqual({ status: 200, isChecked: true });
    const second = await renew();
    await service.reload();
    expect(await ask(second)).toEqual({ status: 200, isChecked: true });
    await expect(ask(first)).rejects.toThrow();
    await writeFile(files.tlsKey, 'no key');
    await service.reload();
    expect(await ask(second)).toEqual({ status: 200, isChecked: true });
    expect(service.log().some(({ msg }) => msg === 'the certificate stays as it was')).toBe(true);
  });

  it.each([
    [
      'no certificate',
      () => writeFile(files.tlsCert, 'nothing'),
      'E_SERVICE_CONFIG',
      'no certificate with its',
    ],
    [
      'the key of another',
      () => writeFile(files.tlsKey, ownCertificate().key),
      'E_SERVICE_CONFIG',
      'key.pem',
    ],
    ['no file', () => rm(files.tlsKey), 'E_IO_READ', 'the private key cannot be read'],
  ])('with %s the service does not start', async (_what, spoil, code, message) => {
    await renew();
    await spoil();
    await expect(startFakeService(toy.model, files)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
