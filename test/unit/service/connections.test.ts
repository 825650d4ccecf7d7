import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeGate } from '../awaiting.js';
import { type FakeService, png, startFakeService, until } from './fake-service.js';
import { headOf, held, post, speak } from './raw-requests.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let picture: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  picture = new Uint8Array(await png(204));
});
let service: FakeService;
afterEach(() => service?.stop());

describe('slow and broken connections', () => {
  it('a body that drips is ended after the time for a request', async () => {
    service = await startFakeService(toy.model, { requestTimeoutMs: 300 });
    const answer = await speak(service, `${headOf(1000)}a`);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('E_HTTP_TIMEOUT');
    await until(() => held(service)[0] === 0);
    expect(held(service)).toEqual([0, 0]);
  });

  it('a head that drips is ended too', async () => {
    service = await startFakeService(toy.model, { requestTimeoutMs: 300 });
    expect(await speak(service, 'POST /v1/score HTTP/1.1\r\nHost: localhost\r\nX-')).toMatch(
      /^HTTP\/1.1 408 Request Timeout\r\n/,
    );
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a head of 64 kB', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(65_536)}\r\n\r\n`, 431],
    ['two lengths', `${headOf(1).trimEnd()}\r\nContent-Length: 2\r\n\r\nab`, 400],
    ['a length below 0', headOf(-1), 400],
    ['no length that is a number', headOf('many'), 400],
  ])('%s is told so in JSON', async (_what, text, status) => {
    service = await startFakeService(toy.model);
    const answer = await speak(service, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
      error: { code: expect.stringMatching(/^E_HTTP/) },
    });
  });

  it('hundreds of uploads that are given up leave nothing behind', async () => {
    service = await startFakeService(toy.model);
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          speak(service, `${headOf(100_000)}${'x'.repeat(1000 * (round + 1))}`, true),
        ),
      );
    }
    await until(() => held(service)[0] === 0);
    expect(held(service)).toEqual([0, 0]);
    expect((await post(service, picture)).status).toBe(200);
  });

  it.each(['application/json', 'application/jsonl', 'image/png'])(
    'a client that resets its connection before an answer in %s is no fault of the service',
    async (accept) => {
      const { wait: gate, open } = makeGate();
      service = await startFakeService(toy.model, {}, { gate });
      const { hostname, port } = new URL(service.url);
      const socket = connect(Number(port), hostname);
      const head = headOf(picture.length).replace('\r\n', `\r\nAccept: ${accept}\r\n`);
      socket.write(Buffer.concat([Buffer.from(head), picture]));
      await until(() => service.addon.log.passes.length === 1);
      socket.resetAndDestroy();
      await until(() => held(service)[0] === 0 && service.service.supervisor.inFlight === 0);
      open();
      // What is still to be said of it is said before the end.
      await service.stop();
      expect(service.log().filter(({ level }) => level === 'error')).toEqual([]);
      const told = service.log().find(({ msg }) => msg === 'refused');
      expect(told).toMatchObject({ code: 'E_CANCELLED' });
      const ends = service.log().filter(({ route }) => route === '/v1/score');
      expect(ends).toMatchObject([{ status: 499, msg: 'ended before its answer was whole' }]);
    },
  );

  it('a client that goes takes its work with it', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, {}, { gate });
    const leave = new AbortController();
    const asked = fetch(`${service.url}v1/score`, {
      method: 'POST',
      body: picture,
      headers: { 'content-type': 'image/png' },
      signal: leave.signal,
    });
    await until(() => service.addon.log.passes.length === 1);
    leave.abort();
    await expect(asked).rejects.toThrow();
    // The pass still runs; nobody waits for it, and its place is free.
    await until(() => held(service)[0] === 0 && service.service.supervisor.inFlight === 0);
    open();
    expect((await post(service, picture)).status).toBe(200);
  });
});
