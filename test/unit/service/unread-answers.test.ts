/** Answers that a client does not take, or takes slowly. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeServer } from '../../../src/service/http-server.js';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';
import { type FakeService, startFakeService, until } from './fake-service.js';

/** More than the buffers between server and client. */
const k_bytes = 32 * 2 ** 20;
/** A slow client takes so much, and waits. */
const k_step = 2 ** 19;
const k_wait = 20;
const k_timeout = 500;
const large = Buffer.alloc(k_bytes, 'crane ');
const answers: Record<string, (reply: FastifyReply) => unknown> = {
  bytes: (reply) => reply.type('image/png').send(large),
  text: (reply) => reply.type('text/plain').send(large.toString('latin1')),
  json: () => ({ large: large.toString('latin1') }),
  stream: (reply) => reply.type('text/plain').send(Readable.from([large])),
};

let folder: string;
let service: FakeService;
let app: FastifyInstance;
let socket: Socket;
let told: { level: string; facts: object; message: string }[];
beforeAll(async () => {
  folder = await makeToyFolder();
  await makeToyModel(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  const settings = { requestTimeoutMs: k_timeout };
  service = await startFakeService(join(folder, 'model.json'), settings);
  told = [];
  const note = (level: string) => (facts: object, message: string) => told.push({ level, facts, message });
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const addresses = Object.entries(answers).map(([name, answer]) => ({
    path: `/${name}`,
    methods: {
      GET: (_request: unknown, reply: FastifyReply) => {
        const place = service.service.admission.enter();
        reply.raw.once('close', place.leave);
        return answer(reply);
      },
    },
  }));
  app = await makeServer(service.service, addresses, log);
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  socket?.destroy();
  await app.close();
  await service.stop();
});

const port = () => (app.server.address() as AddressInfo).port;
const url = (name: string) => `http://127.0.0.1:${port()}/${name}`;
const held = () => service.service.admission.pictures;
async function ask(name: string): Promise<void> {
  socket = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET /${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
}

describe.each(Object.keys(answers))('an answer of %s', (name) => {
  it('that nobody takes gives its place free', async () => {
    await ask(name);
    await until(() => held() === 1);
    await until(() => held() === 0);
    // Told of once, and counted as every request.
    const facts = expect.objectContaining({ requestId: expect.any(String) });
    expect(told.filter(({ level }) => level === 'warn')).toEqual([
      { level: 'warn', facts, message: expect.stringContaining('takes nothing of its answer') },
    ]);
    expect(told.filter(({ level }) => level === 'info')).toMatchObject([
      { facts: { route: `/${name}`, status: 499 }, message: 'ended before its answer was whole' },
    ]);
    const figures = await service.service.figures.text();
    expect(figures).toContain(`crane_requests_total{route="/${name}",status="499"} 1`);
  });

  it('that nobody takes gives its place free also where the client goes on asking', async () => {
    await ask(name);
    await until(() => held() === 1);
    const asking = setInterval(() => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'), 20);
    await until(() => held() === 0);
    clearInterval(asking);
  });

  it('that is taken slowly comes whole', async () => {
    const [reply] = (await once(get(url(name), { agent: false }), 'response')) as [IncomingMessage];
    let bytes = 0;
    let waits = 0;
    for await (const chunk of reply) {
      bytes += (chunk as Buffer).length;
      if (bytes < (waits + 1) * k_step) continue;
      waits++;
      await new Promise((resolve) => setTimeout(resolve, k_wait));
    }
    expect([reply.complete, bytes >= k_bytes]).toEqual([true, true]);
    // Longer than the time in which some of it must be taken.
    expect(waits * k_wait).toBeGreaterThan(2 * k_timeout);
  });

  it('that is taken is what it was', async () => {
    const reply = await fetch(url(name));
    const text = await reply.text();
    const got = name === 'json' ? (JSON.parse(text) as { large: string }).large : text;
    expect(got === large.toString('latin1')).toBe(true);
    const length = reply.headers.get('content-length');
    expect(length).toBe(name === 'stream' ? null : String(text.length));
    const head = await fetch(url(name), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, length, '']);
  });
});
