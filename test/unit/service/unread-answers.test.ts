/** Answers that a client does not take, or takes slowly. */
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endUnlessTaken, inPieces, watchConnection } from '../../../src/service/answer-pieces.js';
import { makeServer } from '../../../src/service/http-server.js';
import { type FakeService, startFakeService, until } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

/** More than the buffers between server and client. */
const k_bytes = 32 * 2 ** 20;
const k_short = 400;
const large = Buffer.alloc(k_bytes, 'crane ');
const answers: Record<string, (reply: FastifyReply) => unknown> = {
  bytes: (reply) => reply.type('image/png').send(large),
  text: (reply) => reply.type('text/plain').send(large.toString('latin1')),
  json: () => ({ large: large.toString('latin1') }),
  stream: (reply) => reply.type('text/plain').send(Readable.from([large])),
};

const toy = toyModelOfFile();
let service: FakeService;
let app: FastifyInstance;
let socket: Socket;
let told: { level: string; facts: object; message: string }[];
async function start(requestTimeoutMs: number): Promise<void> {
  const settings = { requestTimeoutMs };
  service = await startFakeService(toy.model, settings);
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
}
afterEach(async () => {
  socket?.destroy();
  await app?.close();
  await service?.stop();
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
    await start(k_short);
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
    await start(k_short);
    await ask(name);
    await until(() => held() === 1);
    const asking = setInterval(() => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'), 20);
    await until(() => held() === 0);
    clearInterval(asking);
  });

  it('and those that were asked for behind it give their places free when the client leaves', async () => {
    await start(60_000);
    socket = connect({ port: port(), host: '127.0.0.1' });
    socket.pause();
    socket.write(`GET /${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(3));
    await until(() => held() === 3);
    socket.destroy();
    await until(() => held() === 0);
    const ends = told.filter(({ level }) => level === 'info');
    expect(ends).toMatchObject(Array(3).fill({ facts: { route: `/${name}`, status: 499 } }));
  });

  it('that is taken is what it was', async () => {
    await start(60_000);
    const reply = await fetch(url(name));
    const text = await reply.text();
    const got = name === 'json' ? (JSON.parse(text) as { large: string }).large : text;
    expect(got === large.toString('latin1')).toBe(true);
    await until(() => told.length === 1);
    expect(told[0]).toMatchObject({ message: 'answered', facts: { ms: expect.any(Number) } });
    expect((told[0]!.facts as { ms: number }).ms).toBeGreaterThan(0);
    const length = reply.headers.get('content-length');
    expect(length).toBe(name === 'stream' ? null : String(text.length));
    const head = await fetch(url(name), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, length, '']);
  });
});

describe('a connection', () => {
  /** At each look: bytes that were written to it so far, and how many of them wait. */
  const looksAt = (steps: readonly { written: number; waits: number; hasSocket?: boolean }[]) => {
    vi.useFakeTimers();
    const response = {
      writableLength: 0,
      socket: null as object | null,
      once: vi.fn(),
      destroy: vi.fn(),
    };
    const onEnd = vi.fn();
    endUnlessTaken(response as unknown as ServerResponse, 1000, onEnd);
    for (const { written, waits, hasSocket = true } of steps) {
      response.writableLength = waits;
      response.socket = hasSocket ? { bytesWritten: written, writableLength: waits } : null;
      vi.advanceTimersByTime(250);
    }
    vi.useRealTimers();
    expect(onEnd).toHaveBeenCalledTimes(response.destroy.mock.calls.length);
    return response.destroy.mock.calls.length;
  };
  const same = (step: { written: number; waits: number; hasSocket?: boolean }, times: number) =>
    Array.from({ length: times }, () => step);

  it.each([
    ['of which nothing is taken is closed once', same({ written: 9, waits: 5 }, 20), 1],
    ['of which nothing is taken for less than the time stays', same({ written: 9, waits: 5 }, 4), 0],
    [
      'whose client takes a piece now and then stays',
      Array.from({ length: 40 }, (_, at) => ({ written: 100 + 10 * Math.floor(at / 4), waits: 50 })),
      0,
    ],
    [
      'to which more and more is written that waits is closed',
      Array.from({ length: 9 }, (_, at) => ({ written: 100 + 10 * at, waits: 10 * at + 5 })),
      1,
    ],
    ['on which nothing waits stays', same({ written: 9, waits: 0 }, 40), 0],
    ['of another answer stays', same({ written: 9, waits: 5, hasSocket: false }, 40), 0],
  ])('%s', (_what, steps, closed) => {
    expect(looksAt(steps)).toBe(closed);
  });

  it.each(['its own end', 'the end of its connection'])(
    'that is over by %s is looked at no more',
    async (end) => {
      const connection = new EventEmitter();
      const response = Object.assign(new EventEmitter(), { writableLength: 0, socket: null });
      const [request, answer] = [{ socket: connection }, response] as unknown as [
        IncomingMessage,
        ServerResponse,
      ];
      watchConnection(request, answer);
      (end === 'its own end' ? response : connection).emit('close');
      await new Promise(setImmediate);
      vi.useFakeTimers();
      endUnlessTaken(answer, 1000, vi.fn());
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
      expect(connection.listenerCount('close') + response.listenerCount('close')).toBe(
        end === 'its own end' ? 1 : 0,
      );
    },
  );
});

it('large answers are cut in pieces, and small ones stay', async () => {
  const text = 'ä'.repeat(100_000);
  const bytes = Buffer.from(text);
  for (const [given, length] of [
    [text, bytes.length],
    [bytes, bytes.length],
    [Readable.from([text.slice(0, 70_000), text.slice(70_000)]), undefined],
  ] as const) {
    const cut = inPieces(given);
    expect(cut.length).toBe(length);
    const pieces: Buffer[] = [];
    for await (const piece of cut.payload as Readable) pieces.push(piece as Buffer);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(65_536);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  }
  for (const given of ['small', Buffer.from('small'), undefined, null])
    expect(inPieces(given)).toEqual({ payload: given });
});
