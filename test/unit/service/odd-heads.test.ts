/** Requests that Node or the router would answer by themselves are answered as all others: with our headers, checks, log and errors. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeService, startFakeService, until } from './fake-service.js';
import { speak } from './raw-requests.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
const token = 'a-token-of-this-test';
let service: FakeService;
let open: FakeService;
beforeAll(async () => {
  const tokenFile = join(toy.folder, 'tokens');
  await writeFile(tokenFile, `${token}\n`);
  service = await startFakeService(toy.model, { tokenFile });
  open = await startFakeService(toy.model);
});
afterAll(() => Promise.all([service.stop(), open.stop()]));

/** @returns status, headers and body of what is answered to a head */
async function ask(to: FakeService, ...lines: string[]) {
  const [head = '', body = ''] = (
    await speak(to, `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`)
  ).split('\r\n\r\n');
  const [first = '', ...fields] = head.split('\r\n');
  const headers = new Headers(fields.map((field) => field.split(/: (.*)/).slice(0, 2) as [string, string]));
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) as { error: unknown } };
}

describe.each([
  ['no text', '%zz'],
  ['no UTF-8', '%ff'],
  ['300 letters', 'a'.repeat(300)],
])('a name of %s', (_what, name) => {
  it.each([`/v1/models/${name}`, `/v2/models/${name}`, `/v1/normals/${name}?a=%zz`])(
    'is the name of nothing: %s',
    async (path) => {
      const known = await ask(service, `GET ${path} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${token}`);
      const isOfProtocol = path.startsWith('/v2');
      expect([403, 404]).toContain(known.status);
      expect(known.body.error).toEqual(isOfProtocol ? expect.stringMatching(/^E_/) : expect.any(Object));
      expect(known.headers.get('x-frame-options')).toBe('DENY');
      const id = known.headers.get('x-request-id');
      await until(() => service.log().some((line) => line['requestId'] === id && line['msg'] === 'answered'));
      const stranger = await ask(service, `GET ${path} HTTP/1.1`, 'Host: a');
      expect(stranger.status).toBe(401);
      const foreign = await ask(open, `GET ${path} HTTP/1.1`, 'Host: evil.example');
      expect(foreign.status).toBe(403);
    },
  );

  it('is counted as a request', async () => {
    const count = async () => {
      const figures = await (await fetch(`${open.url}metrics`)).text();
      return Number(
        /crane_requests_total\{route="\/v1\/models\/:model",status="404"\} (\d+)/.exec(figures)?.[1] ?? 0,
      );
    };
    const before = await count();
    expect((await ask(open, `GET /v1/models/${name} HTTP/1.1`, 'Host: localhost')).status).toBe(404);
    await until(() => open.service.admission.pictures === 0);
    expect(await count()).toBe(before + 1);
  });
});

it('a path that is no text leads nowhere', async () => {
  const { status, body } = await ask(open, 'GET /%zz HTTP/1.1', 'Host: localhost');
  expect([status, body.error]).toMatchObject([404, { code: 'E_HTTP_NOT_FOUND' }]);
});

it('a request without a Host is refused in our form, but for HTTP/1.0', async () => {
  const { status, body, headers } = await ask(open, 'GET /healthz HTTP/1.1', 'Accept: */*');
  expect([status, body.error]).toMatchObject([400, { code: 'E_HTTP_REQUEST' }]);
  expect(headers.get('x-request-id')).not.toBeNull();
  expect((await ask(open, 'GET /healthz HTTP/1.0', 'Accept: */*')).status).toBe(200);
});

it('what else a client expects is not heeded', async () => {
  for (const expected of ['foo', '100-continued', 'payment=cash'])
    expect((await ask(open, 'GET /healthz HTTP/1.1', 'Host: localhost', `Expect: ${expected}`)).status).toBe(
      200,
    );
});
