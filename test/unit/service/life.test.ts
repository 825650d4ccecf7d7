import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CraneError } from '../../../src/errors.js';
import { makeGate } from '../awaiting.js';
import { type FakeService, png, startFakeService, until } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let picture: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  picture = new Uint8Array(await png(204));
});
let service: FakeService | undefined;
afterEach(() => service?.stop());

const post = async (accept = 'application/json') => {
  const headers = { 'content-type': 'image/png', accept };
  const reply = await fetch(`${service!.url}v1/score`, { method: 'POST', body: picture, headers });
  return { status: reply.status, reply, text: await reply.text() };
};
const ready = async () => (await fetch(`${service!.url}readyz`)).status;

describe('an engine that ends', () => {
  it('costs those that it worked for an answer 503, and is started again', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, {}, { gate });
    const working = [post(), post(), post()];
    await until(() => service!.service.supervisor.inFlight === 3);
    service.crash();
    for (const { status, reply, text } of await Promise.all(working)) {
      expect(status).toBe(503);
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'E_SERVICE_DOWN' } });
    }
    open();
    await until(() => service!.service.supervisor.isReady);
    expect((await post()).status).toBe(200);
    expect([service.starts, service.service.supervisor.restarts]).toEqual([2, 1]);
    expect(service.log().find(({ msg }) => msg === 'the engine ended')).toMatchObject({
      how: 'SIGABRT',
      lost: 3,
    });
  });

  it('is told in the lines of a stream that has begun', async () => {
    const { wait: gate } = makeGate();
    service = await startFakeService(toy.model, {}, { gate });
    const working = post('application/jsonl');
    await until(() => service!.service.supervisor.inFlight === 1);
    service.crash();
    const { status, text } = await working;
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ index: 0, error: { code: 'E_SERVICE_DOWN' } });
  });

  it('is started again also after starts that the system refused', async () => {
    let mayStart = true;
    const failToStart = () => {
      if (!mayStart) throw new Error('spawn ENOMEM');
    };
    service = await startFakeService(toy.model, {}, { failToStart });
    mayStart = false;
    service.crash();
    await until(() => service!.starts >= 4);
    expect([await ready(), (await post()).status]).toEqual([503, 503]);
    expect(service.log().filter(({ how }) => how === 'spawn ENOMEM')).not.toEqual([]);
    mayStart = true;
    await until(() => service!.service.supervisor.isReady);
    expect((await post()).status).toBe(200);
  });

  it('is not ready meanwhile, but alive, and knows its models', async () => {
    let mayLoad = true;
    service = await startFakeService(
      toy.model,
      {},
      {
        failToLoad: () => {
          if (!mayLoad) throw new CraneError('E_MEMORY', 'no memory');
        },
      },
    );
    mayLoad = false;
    service.crash();
    await until(() => !service!.service.supervisor.isReady);
    expect(await ready()).toBe(503);
    expect((await fetch(`${service.url}healthz`)).status).toBe(200);
    expect((await fetch(`${service.url}v1/models`)).status).toBe(200);
    expect((await post()).status).toBe(503);
    // It is tried again and again, with waits between.
    await until(() => service!.starts >= 4);
    mayLoad = true;
    await until(() => service!.service.supervisor.isReady);
    expect(await ready()).toBe(200);
    expect((await post()).status).toBe(200);
  });
});

it('an engine that cannot be started at first ends the start with what was wrong', async () => {
  service = undefined;
  const failToStart = () => {
    throw new Error('spawn ENOMEM');
  };
  await expect(startFakeService(toy.model, {}, { failToStart })).rejects.toMatchObject({
    code: 'E_SERVICE_DOWN',
    message: expect.stringContaining('spawn ENOMEM'),
    hint: expect.stringContaining('memory'),
  });
});

it('a model that cannot be loaded ends the start with its fault', async () => {
  service = undefined;
  const start = startFakeService(join(toy.folder, 'none.json'));
  await expect(start).rejects.toMatchObject({ code: 'E_MODEL_NOT_FOUND' });
});

it('a method that runs towers otherwise than the model ends the start with what to do', async () => {
  const models = [
    { name: 'toy', options: { model: toy.model, method: 'winclip', className: 'toy' }, promptSets: {} },
  ];
  await expect(startFakeService(toy.model, { models })).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('method winclip runs the towers of toy'),
    hint: expect.stringContaining('serve a model of that method'),
  });
});

describe('a service that is told to stop', () => {
  it('answers what it has, takes nothing more, and ends', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, {}, { gate });
    const working = Array.from({ length: 16 }, () => post());
    await until(() => service!.service.supervisor.inFlight === 16);
    const ended = service.stop();
    // New connections are refused, or told so.
    const late = await post().then(
      ({ status }) => status,
      () => 503,
    );
    expect(late).toBe(503);
    open();
    expect((await Promise.all(working)).map(({ status }) => status)).toEqual(Array(16).fill(200));
    await ended;
    await expect(fetch(`${service.url}healthz`)).rejects.toThrow();
    expect(service.log().at(-1)).toMatchObject({ msg: 'ended' });
  });

  it('tells requests of connections that are open that it ends', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, {}, { gate });
    const { hostname, port } = new URL(service.url);
    const working = post();
    await until(() => service!.service.supervisor.inFlight === 1);
    /** The head begins before the service is told to stop, and ends after it. */
    const begun = async (line: string) => {
      const socket = connect(Number(port), hostname);
      let got = '';
      socket.on('data', (chunk) => {
        got += chunk;
      });
      const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
      await new Promise<void>((resolve) => socket.write(`${line}\r\nHost: localhost\r\nX-`, () => resolve()));
      return async () => {
        socket.write('Y: z\r\nContent-Length: 1\r\nContent-Type: image/png\r\n\r\nx');
        await closed;
        const [head = '', body = ''] = got.split('\r\n\r\n');
        return { head: head.toLowerCase(), body: JSON.parse(body) as object };
      };
    };
    const late = await begun('POST /v1/score HTTP/1.1');
    const probe = await begun('GET /readyz HTTP/1.1');
    // Seen by the server before it is told to stop.
    await (await fetch(`${service.url}healthz`)).text();
    const ended = service.stop();
    const [refused, state] = [await late(), await probe()];
    expect(refused.head).toMatch(/^http\/1.1 503 [\s\S]*connection: close/);
    expect(refused.body).toMatchObject({ error: { code: 'E_SERVICE_DOWN' } });
    expect(state).toMatchObject({
      head: expect.stringMatching(/^http\/1.1 503/),
      body: { status: 'ending' },
    });
    open();
    expect((await working).status).toBe(200);
    await ended;
  });

  it('does not wait longer than it may', async () => {
    const { wait: gate } = makeGate();
    service = await startFakeService(toy.model, { drainMs: 50 }, { gate });
    const working = post().then(
      () => 'answered',
      () => 'closed',
    );
    await until(() => service!.service.supervisor.inFlight === 1);
    await service.stop();
    expect(await working).toBe('closed');
    expect(service.log().some(({ msg }) => msg === 'the time to end is over')).toBe(true);
  }, 15_000);
});
