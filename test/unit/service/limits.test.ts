import { METHODS } from 'node:http';
import { deflateSync } from 'node:zlib';
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

const formOf = (parts: string[], boundary = 'b') =>
  `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
const formType = { 'content-type': 'multipart/form-data; boundary=b' };

describe('bodies', () => {
  it('larger than the limit are refused by their head, before a byte of them', async () => {
    service = await startFakeService(toy.model);
    const answer = await speak(service, headOf(2 ** 30));
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('E_HTTP_TOO_LARGE');
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(held(service)).toEqual([0, 0]);
  });

  it('of JSON have a lower limit, since parsing holds up everybody', async () => {
    service = await startFakeService(toy.model, { maxJsonBody: 2000 });
    const json = { 'content-type': 'application/json' };
    const data = 'A'.repeat(1900);
    const parsed = await post(service, JSON.stringify({ pictures: [{ data }] }), json);
    expect([parsed.status, parsed.code]).toEqual([200, undefined]);
    const refused = await post(service, JSON.stringify({ pictures: [{ data: data.repeat(2) }] }), json);
    expect([refused.status, refused.code]).toEqual([413, 'E_HTTP_TOO_LARGE']);
    const inputs = [{ name: 'IMAGE', datatype: 'BYTES', shape: [1], data: ['A'.repeat(4000)] }];
    const infer = async (headers: Record<string, string>, body: string) =>
      (await fetch(`${service.url}v2/models/toy/infer`, { method: 'POST', body, headers })).status;
    expect(await infer(json, JSON.stringify({ inputs }))).toBe(413);
    const head = JSON.stringify({ inputs });
    const binaryType = { 'content-type': 'application/octet-stream' };
    expect(
      await infer({ ...binaryType, 'inference-header-content-length': String(head.length) }, `${head}x`),
    ).toBe(413);
    const binary = { ...inputs[0]!, data: undefined, parameters: { binary_data_size: 4000 } };
    const short = JSON.stringify({ inputs: [binary] });
    const length = Buffer.alloc(4);
    length.writeUInt32LE(3996);
    // The same bytes outside of JSON are read: they are no picture.
    const status = await infer(
      { ...binaryType, 'inference-header-content-length': String(short.length) },
      `${short}${length.toString('latin1')}${'A'.repeat(3996)}`,
    );
    expect(status).toBe(400);
  });

  it('of no stated length are refused when they grow too large', async () => {
    service = await startFakeService(toy.model);
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const status = await post(service, endless).then(
      (answer) => answer.status,
      // The connection is closed under the sender, who may see that before the answer.
      () => 413,
    );
    expect(status).toBe(413);
    expect(sent).toBeLessThan(64 * 2 ** 20);
    await until(() => held(service)[0] === 0);
    expect(held(service)).toEqual([0, 0]);
  });

  it.each(['gzip', 'br', 'deflate'])('compressed by %s are not read', async (encoding) => {
    service = await startFakeService(toy.model);
    const bomb = deflateSync(Buffer.alloc(2 ** 20));
    const answer = await post(service, bomb, { 'content-type': 'image/png', 'content-encoding': encoding });
    expect([answer.status, answer.code]).toEqual([415, 'E_HTTP_TYPE']);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/mixed; boundary=b',
    'nonsense',
    '',
  ])('of type %j are not read', async (type) => {
    service = await startFakeService(toy.model);
    const answer = await speak(
      service,
      `${headOf(4, type).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}abcd`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 415 /);
  });

  it('in chunks of one byte are what they are in one, raw and as a form', async () => {
    service = await startFakeService(toy.model);
    const form = formOf([
      `Content-Disposition: form-data; name="p"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n${Buffer.from(picture).toString('latin1')}`,
    ]);
    for (const [type, body] of [
      ['image/png', Buffer.from(picture)],
      [formType['content-type'], Buffer.from(form, 'latin1')],
    ] as const) {
      const head = headOf('', type).replace(
        'Content-Length: ',
        'Connection: close\r\nTransfer-Encoding: chunked',
      );
      const chunks = [...body].map((byte) => Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]));
      const answer = await speak(
        service,
        Buffer.concat([Buffer.from(head), ...chunks, Buffer.from('0\r\n\r\n')]),
      );
      expect(answer).toMatch(/^HTTP\/1.1 200 [\s\S]*"score":0.8/);
    }
  });

  it('that end too early are nobody’s', async () => {
    service = await startFakeService(toy.model);
    await speak(service, `${headOf(1000)}abc`, true);
    await until(() => held(service)[0] === 0);
    expect(held(service)).toEqual([0, 0]);
    expect(service.addon.log.passes).toEqual([]);
  });
});

describe('pictures', () => {
  it('that make more forward passes than the limit are refused before the first', async () => {
    const models = [{ name: 'toy', options: { model: toy.model, maxTiles: 20 }, promptSets: {} }];
    service = await startFakeService(toy.model, { models });
    const strip = new Uint8Array(await png(204, 900, 8));
    const status = async (query: string) => {
      const headers = { 'content-type': 'image/png' };
      const reply = await fetch(`${service.url}v1/score${query}`, { method: 'POST', body: strip, headers });
      return [reply.status, ((await reply.json()) as { error?: { message: string } }).error?.message];
    };
    expect(await status('?fit=tile')).toEqual([413, expect.stringMatching(/makes \d+ forward passes .*20$/)]);
    expect(service.addon.log.passes).toEqual([]);
    expect(await status('?fit=tile&roi=0,0,60,8')).toEqual([200, undefined]);
    expect(await status('?fit=pad')).toEqual([200, undefined]);
  });
});

describe('forms', () => {
  it('of 10,000 parts are refused', async () => {
    service = await startFakeService(toy.model);
    const fields = Array.from(
      { length: 10_000 },
      (_, at) => `Content-Disposition: form-data; name="f${at}"\r\n\r\n1`,
    );
    const answer = await post(service, formOf(fields), formType);
    expect([answer.status, answer.code]).toEqual([413, 'E_HTTP_TOO_LARGE']);
    const files = Array.from(
      { length: 10_000 },
      (_, at) => `Content-Disposition: form-data; name="p"; filename="${at}"\r\n\r\nx`,
    );
    const second = await post(service, formOf(files), formType);
    expect([second.status, second.code]).toEqual([413, 'E_HTTP_TOO_LARGE']);
    expect(service.addon.log.passes).toEqual([]);
    await until(() => held(service)[0] === 0);
  });

  it('of one picture too many are refused', async () => {
    service = await startFakeService(toy.model, { maxFiles: 3 });
    const status = async (count: number) => {
      const data = new FormData();
      for (let at = 0; at < count; at++) data.append('p', new Blob([picture]), `${at}`);
      return (await fetch(`${service.url}v1/score`, { method: 'POST', body: data })).status;
    };
    expect([await status(3), await status(4)]).toEqual([200, 413]);
  });

  it('with long fields, long names or many heads of a part are refused', async () => {
    service = await startFakeService(toy.model);
    const field = (name: string, value: string) =>
      formOf([`Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`]);
    expect(await post(service, field('threshold', '0'.repeat(10_000)), formType)).toMatchObject({
      code: 'E_HTTP_TOO_LARGE',
    });
    expect(await post(service, field('t'.repeat(10_000), '1'), formType)).toMatchObject({ status: 400 });
    const heads = Array.from({ length: 5000 }, (_, at) => `X-${at}: y`).join('\r\n');
    const answer = await post(
      service,
      formOf([`${heads}\r\nContent-Disposition: form-data; name="p"; filename="a"\r\n\r\nx`]),
      formType,
    );
    expect(answer.status).toBe(400);
  });

  it.each([
    ['no boundary', 'x', { 'content-type': 'multipart/form-data' }],
    [
      'another boundary',
      formOf(['Content-Disposition: form-data; name="p"; filename="a"\r\n\r\nx'], 'c'),
      formType,
    ],
    ['an end too early', '--b\r\nContent-Disposition: form-data; name="p"; filename="a"\r\n\r\nx', formType],
    ['nothing', '', formType],
    ['a field without a name', formOf(['Content-Disposition: form-data\r\n\r\n1']), formType],
    ['a field whose name has no value', formOf(['Content-Disposition: form-data; name\r\n\r\n1']), formType],
    ['noise', '\0\0\r\n--b\r\n\r\n\r\n--b--', formType],
  ])('with %s are refused', async (_what, body, headers) => {
    service = await startFakeService(toy.model);
    const answer = await post(service, body, headers);
    expect([answer.status, answer.code]).toEqual([400, 'E_HTTP_REQUEST']);
  });

  it('keep names of files harmless', async () => {
    service = await startFakeService(toy.model);
    const data = new FormData();
    data.append('p', new Blob([picture]), '../../etc/pass\u202ewd');
    const reply = await fetch(`${service.url}v1/score`, { method: 'POST', body: data });
    const { results } = (await reply.json()) as { results: { input: string }[] };
    expect(results[0]!.input).toBe('passwd');
  });
});

describe('methods', () => {
  it.each(METHODS.filter((method) => method !== 'CONNECT'))(
    '%s is taken, or told what is',
    async (method) => {
      service = await startFakeService(toy.model);
      const status = async (path: string) => {
        const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
        const answer = await speak(service, head);
        return [Number(answer.split(' ')[1]), /^allow: (.*)$/im.exec(answer)?.[1]?.trim()];
      };
      const isGet = method === 'GET' || method === 'HEAD';
      expect(await status('/healthz')).toEqual(isGet ? [200, undefined] : [405, 'GET, HEAD']);
      expect(await status('/v1/score')).toEqual(method === 'POST' ? [415, undefined] : [405, 'POST']);
      expect(await status('/nowhere')).toEqual([404, undefined]);
    },
  );
});

describe('time until the forward pass', () => {
  it('of the service is told as its fault (5xx), one that the request chose is not, and others keep theirs', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, { requestTimeoutMs: 2000 }, { gate });
    const scored = (options = '') =>
      fetch(`${service.url}v1/score${options}`, {
        method: 'POST',
        body: picture,
        headers: { 'content-type': 'image/png' },
      });
    // Two passes may be on their way at once.
    const first = [];
    for (const passes of [1, 2]) {
      first.push(scored());
      await until(() => service.addon.log.passes.length === passes);
    }
    const impatient = await scored('?deadlineMs=20');
    expect(impatient.status).toBe(408);
    expect(await impatient.json()).toMatchObject({ error: { code: 'E_DEADLINE' } });
    for (const late of await Promise.all([scored(), scored('?deadlineMs=100000')])) {
      expect(late.status).toBe(504);
      expect(await late.json()).toMatchObject({ error: { code: 'E_HTTP_WAITED' } });
    }
    open();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    expect(held(service)).toEqual([0, 0]);
  });

  it('is refused at once where it is none', async () => {
    service = await startFakeService(toy.model);
    const answer = await fetch(`${service.url}v1/score?deadlineMs=0`, {
      method: 'POST',
      body: picture,
      headers: { 'content-type': 'image/png' },
    });
    expect(answer.status).toBe(408);
  });
});

describe('a full service', () => {
  /** A service that has scored one picture, so that it knows how long a pass takes, and holds the next one. */
  async function oneScoredNextHeld(
    limits: Parameters<typeof startFakeService>[1],
    engine: Parameters<typeof startFakeService>[2] = {},
  ) {
    let gate: Promise<void> | undefined;
    service = await startFakeService(toy.model, limits, { ...engine, gate: async () => gate });
    expect((await post(service, picture)).status).toBe(200);
    const { wait, open } = makeGate();
    gate = wait();
    const taken = post(service, picture);
    await until(() => held(service)[0] === 1);
    return { taken, open };
  }

  it('says when to come again, and takes what comes later', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, { maxQueue: 3, maxFiles: 3 }, { gate });
    const taken = [post(service, picture), post(service, picture), post(service, picture)];
    await until(() => held(service)[0] === 3);
    const refused = await post(service, picture);
    expect([refused.status, refused.code]).toEqual([429, 'E_QUEUE_FULL']);
    expect(Number(refused.reply.headers.get('retry-after'))).toBeGreaterThan(0);
    open();
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await post(service, picture)).status).toBe(200);
    expect(held(service)).toEqual([0, 0]);
  });

  it('never says to come again at once, though a sole picture left nothing to wait for', async () => {
    const { taken, open } = await oneScoredNextHeld({ maxQueue: 1, maxFiles: 1 });
    const refused = await post(service, picture);
    expect([refused.status, refused.reply.headers.get('retry-after')]).toEqual([429, '1']);
    open();
    expect((await taken).status).toBe(200);
  });

  it('takes no more than it does in the time that it may take', async () => {
    const { taken, open } = await oneScoredNextHeld({ maxQueueMs: 1 }, { passMs: 30 });
    const refused = await post(service, picture);
    expect([refused.status, refused.code]).toEqual([429, 'E_QUEUE_FULL']);
    open();
    expect((await taken).status).toBe(200);
    expect((await post(service, picture)).status).toBe(200);
  });

  it('counts every picture of a form', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, { maxQueue: 3, maxFiles: 3 }, { gate });
    const two = new FormData();
    for (const name of ['a', 'b']) two.append('p', new Blob([picture]), name);
    const taken = fetch(`${service.url}v1/score`, { method: 'POST', body: two });
    await until(() => held(service)[0] === 2);
    const refused = await fetch(`${service.url}v1/score`, { method: 'POST', body: two });
    expect(refused.status).toBe(429);
    await until(() => held(service)[0] === 2);
    open();
    expect((await taken).status).toBe(200);
  });

  it('bounds the bytes that all requests hold', async () => {
    const { wait: gate, open } = makeGate();
    service = await startFakeService(toy.model, { maxBody: 60_000, maxHeldBytes: 100_000 }, { gate });
    const padded = new Uint8Array(60_000);
    padded.set(picture);
    const taken = post(service, padded);
    await until(() => held(service)[1] === 60_000);
    expect(await post(service, padded)).toMatchObject({ status: 429, code: 'E_QUEUE_FULL' });
    open();
    expect((await taken).status).toBe(200);
    await until(() => held(service)[1] === 0);
    expect((await post(service, padded)).status).toBe(200);
  });
});
