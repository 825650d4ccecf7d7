/** Forms: every part is a picture or an option, or refuses the whole. */
import { Dicer } from '@fastify/busboy';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { held } from './raw-requests.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let service: FakeService;
let picture: Buffer;
beforeAll(async () => {
  service = await startFakeService(toy.model, { requestTimeoutMs: 3000 });
  picture = await png(204);
});
afterAll(() => service.stop());

interface Answer {
  results: { input: string; threshold: number }[];
  failed: number;
  error?: { code: string; message: string };
}
async function send(body: Buffer | FormData) {
  const headers = body instanceof FormData ? {} : { 'content-type': 'multipart/form-data; boundary="X"' };
  const init = { method: 'POST', body: body instanceof FormData ? body : new Uint8Array(body), headers };
  const reply = await fetch(`${service.url}v1/score`, init);
  return { status: reply.status, answer: (await reply.json()) as Answer };
}
const part = (head: string, content: Buffer | string) =>
  Buffer.concat([Buffer.from(`--X\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]);
const k_end = Buffer.from('--X--\r\n');
const file = (name: string) =>
  part(
    `Content-Disposition: form-data; name="picture"; filename="${name}"\r\nContent-Type: image/png`,
    picture,
  );
const headers = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: y\r\n`).join('');
const option = 'Content-Disposition: form-data; name="threshold"';

describe('a part that is neither a picture nor an option refuses the form', () => {
  const asPicture = 'Content-Disposition: form-data; name="picture"; filename="b.png"';
  const named = (name: string) => `Content-Disposition: form-data; name="${name}"; filename="b.png"`;
  it.each([
    ['without Content-Disposition', 'Content-Type: image/png'],
    ['without a head', ''],
    ['of another disposition', 'Content-Disposition: attachment; name="threshold"'],
    ['of a disposition that is no word', 'Content-Disposition: form data; name="threshold"'],
    ['with two dispositions', `${option}\r\n${option}`],
    ['with 16 headers before the disposition', `${headers(16)}${asPicture}`],
    ['with 16 headers behind the disposition', `${asPicture}\r\n${headers(16).trimEnd()}`],
    ['with a line feed in its name', named('pic\nture')],
    ['with a carriage return in its name', named('pic\rture')],
    ['with a line feed in the name of its file', asPicture.replace('b.png', 'b\n.png')],
    ['with a header line without a colon', `no header\r\n${asPicture}`],
    ['with a space behind the boundary', ` \r\n${asPicture}`],
    ['with a name of a file in no encoding', `${option}; filename*=utf-8''%zz`],
  ])('%s', async (_what, head) => {
    for (const content of [picture, '0.01', Buffer.alloc(17_000)]) {
      for (const body of [
        [file('a.png'), part(head, content), k_end],
        [part(head, content), file('a.png'), k_end],
      ]) {
        const { status, answer } = await send(Buffer.concat(body));
        expect([status, answer.error?.code]).toEqual([400, 'E_HTTP_REQUEST']);
      }
    }
    expect(held(service)).toEqual([0, 0]);
  });

  it.each([
    ['of more than 80 KiB', `X-Long: ${'y'.repeat(90_000)}\r\n${option}`],
    ['of 20,000 headers', `${headers(20_000)}${option}`],
    ['that the end of the form cuts off', `${option}\r\n--X--`],
  ])('with a head %s', async (_what, head) => {
    const { status, answer } = await send(Buffer.concat([file('a.png'), part(head, '0.01'), k_end]));
    expect([status, answer.error?.code]).toEqual([400, 'E_HTTP_REQUEST']);
  });

  it('with an option that is no text', async () => {
    const strange = [option, `${option}\r\nContent-Type: text/plain; charset=none`];
    for (const head of strange) {
      const body = [file('a.png'), part(head, Buffer.from([0x30, 0xff])), k_end];
      const { status, answer } = await send(Buffer.concat(body));
      expect([status, answer.error?.message]).toEqual([400, expect.stringContaining('"threshold"')]);
    }
  });
});

describe('a form is read', () => {
  it('with names as clients write them', async () => {
    for (const [written, name] of [
      ['filename="ä b.png"', 'ä b.png'],
      ['filename="a\\"b.png"', 'a"b.png'],
      ['filename=plain.png', 'plain.png'],
      ["filename*=utf-8''%C3%A4.png", 'ä.png'],
      ['filename="folder/c.png"', 'c.png'],
      ['filename=""', 'picture 0'],
    ]) {
      const head = `content-disposition: form-data;name=picture; ${written}`;
      const { status, answer } = await send(Buffer.concat([part(head, picture), k_end]));
      expect([status, answer.results.map(({ input }) => input)]).toEqual([200, [name]]);
    }
  });

  it('with options before, between and behind pictures, which keep their order', async () => {
    const utf16 = part(
      `${option}\r\nContent-Type: text/plain; charset=utf-16le`,
      Buffer.from('0.25', 'utf16le'),
    );
    for (const body of [
      [part(option, '0.25'), file('a'), file('b')],
      [file('a'), part(option, '0.25'), file('b')],
      [file('a'), file('b'), utf16],
      [part(`${headers(15)}${option}`, '0.25'), file('a'), file('b')],
      [Buffer.from('preamble\r\n'), file('a'), file('b'), part(option, '0.25')],
    ]) {
      const { status, answer } = await send(Buffer.concat([...body, k_end, Buffer.from('epilogue')]));
      expect([status, answer.failed]).toEqual([200, 0]);
      expect(answer.results).toMatchObject([
        { input: 'a', threshold: 0.25 },
        { input: 'b', threshold: 0.25 },
      ]);
    }
  });

  it('in time, whatever keeps its parser from ending', async () => {
    const end = vi.spyOn(Dicer.prototype, 'end').mockReturnThis();
    const emit = vi.spyOn(Dicer.prototype, 'emit').mockReturnValue(true);
    const { status, answer } = await send(Buffer.concat([file('a.png'), k_end]));
    end.mockRestore();
    emit.mockRestore();
    expect([status, answer.error?.code]).toEqual([408, 'E_HTTP_TIMEOUT']);
    expect(held(service)).toEqual([0, 0]);
  });
});
