import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isLoopback } from '../../../src/service/guard.js';
import { AccessTokens } from '../../../src/service/tokens.js';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

const toy = toyModelOfFile();
let service: FakeService | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

const first = 'first-token-of-the-test';
const second = 'second-token-of-the-test';
async function tokenFile(text = `# comment\n\n${first}\n  ${second}\r\n`) {
  const path = join(toy.folder, 'tokens');
  await writeFile(path, text);
  return path;
}
/** fetch() may not choose its Host and Origin. */
function head(url: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<number>((resolve, reject) => {
    const asked = request(url, { method, headers }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('tokens', () => {
  it('are needed everywhere but for health', async () => {
    service = await startFakeService(toy.model, { tokenFile: await tokenFile() });
    const status = async (path: string, token?: string, method = 'GET') =>
      head(service!.url + path, token === undefined ? {} : { authorization: `Bearer ${token}` }, method);
    for (const open of ['healthz', 'readyz']) expect([open, await status(open)]).toEqual([open, 200]);
    for (const path of ['metrics', 'v1/models', 'v1/models/toy', 'v1/prompts']) {
      expect([path, await status(path)]).toEqual([path, 401]);
      expect([path, await status(path, 'wrong-token-of-the-test')]).toEqual([path, 401]);
      expect([path, await status(path, first)]).toEqual([path, 200]);
      expect([path, await status(path, second)]).toEqual([path, 200]);
    }
    expect(await status('v1/score', undefined, 'POST')).toBe(401);
    expect(await status('nowhere')).toBe(401);
  });

  it('are asked for with the header that says so', async () => {
    service = await startFakeService(toy.model, { tokenFile: await tokenFile() });
    const reply = await fetch(`${service.url}v1/models`);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await reply.json()).toMatchObject({ error: { code: 'E_HTTP_TOKEN' } });
    expect(JSON.stringify(service.log())).not.toContain(first);
  });

  it('are exchanged while the service runs, and a bad file changes nothing', async () => {
    const path = await tokenFile();
    service = await startFakeService(toy.model, { tokenFile: path });
    const status = (token: string) => head(`${service!.url}v1/models`, { authorization: `Bearer ${token}` });
    await tokenFile('a-new-token-of-the-test\n');
    await service.reload();
    expect([await status(first), await status('a-new-token-of-the-test')]).toEqual([401, 200]);
    await tokenFile('short\n');
    await service.reload();
    expect(await status('a-new-token-of-the-test')).toBe(200);
    expect(service.log().at(-1)).toMatchObject({ msg: 'answered' });
    expect(service.log().some(({ msg }) => msg === 'the tokens stay as they were')).toBe(true);
  });

  it.each([
    ['', 'there is no token in it'],
    ['# nothing\n', 'there is no token in it'],
    ['short\n', ':1: no token'],
    [`${first}\na-token-that-has words\n`, ':2: behind the token stands what is no right'],
    [`${first}\nwith a space in the token\n`, ':2: no token'],
  ])('a file with %j is refused', async (text, message) => {
    const read = AccessTokens.read(await tokenFile(text));
    await expect(read).rejects.toMatchObject({
      code: 'E_SERVICE_CONFIG',
      message: expect.stringContaining(message),
    });
  });

  it('without them or --insecure, nobody else is let in', async () => {
    await expect(startFakeService(toy.model, { host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('--token-file'),
    });
    service = await startFakeService(toy.model, { host: '0.0.0.0', insecure: true });
    expect(service.starts).toBe(1);
  });
});

describe('pages of other sites', () => {
  it.each([
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'nonsense' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ host: 'evil.example' }, 403],
    [{ host: 'localhost' }, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{}, 200],
  ])('with %j get %i', async (headers, status) => {
    service = await startFakeService(toy.model);
    expect(await head(`${service.url}v1/models`, headers as Record<string, string>)).toBe(status);
  });

  it('the own page is let in, and no answer allows another origin', async () => {
    service = await startFakeService(toy.model);
    const own = new URL(service.url).origin;
    expect(await head(`${service.url}v1/models`, { origin: own })).toBe(200);
    const { headers } = await fetch(`${service.url}v1/models`);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('permissions-policy')).toContain('camera=(self)');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

it.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['localhost', true],
  ['::1', true],
  ['[::1]', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.0.0.1.evil.example', false],
])('%s is an address of this machine alone: %s', (host, is) => {
  expect(isLoopback(host)).toBe(is);
});

describe('answers', () => {
  it('name no file of the machine', async () => {
    service = await startFakeService(
      toy.model,
      {},
      {
        checkPass: () => {
          throw Object.assign(new Error(`cannot read ${toy.folder}/weights.safetensors`), {
            code: 'E_WEIGHTS_SHAPE',
          });
        },
      },
    );
    const body = new Uint8Array(await png(10));
    const reply = await fetch(`${service.url}v1/score`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'image/png' },
    });
    expect(reply.status).toBe(500);
    const text = await reply.text();
    expect(text).not.toContain(toy.folder);
    expect(text).not.toContain('    at ');
    const { requestId } = JSON.parse(text) as { requestId: string };
    // The operator finds the cause under the id that the client has.
    expect(
      service.log().find((line) => line['requestId'] === requestId && line['msg'] === 'failed'),
    ).toMatchObject({
      code: 'E_WEIGHTS_SHAPE',
      error: expect.stringContaining(toy.folder),
    });
  });

  it.each([
    [
      'E_MODEL_CONFIG',
      'eAttnLayers is 99, expected a whole number from 1 to 4',
      400,
      { code: 'E_MODEL_CONFIG', message: 'eAttnLayers is 99, expected a whole number from 1 to 4' },
    ],
    [
      'E_DEPENDENCY',
      'reading HEIC (a) needs the package "libheif-js", not installed here',
      415,
      {
        code: 'E_IMAGE_FORMAT',
        message: 'reading HEIC (a) needs the package "libheif-js", not installed here',
      },
    ],
    ['E_PROMPTS', 'nobody said what it is', 400, { code: 'E_PROMPTS', message: 'nobody said what it is' }],
    [
      'E_PROMPTS',
      '/srv/mine.safetensors: no prompts',
      400,
      { code: 'E_PROMPTS', message: 'a prompt set that does not fit the model' },
    ],
  ])('tell %s, "%s", as a fault of the request', async (code, message, status, error) => {
    const check = () => {
      throw Object.assign(new Error(message), { code, hint: 'npm install it' });
    };
    service = await startFakeService(toy.model, {}, { checkPass: check });
    const ask = (body: NonNullable<RequestInit['body']>, headers?: Record<string, string>) =>
      fetch(`${service!.url}v1/score`, { method: 'POST', body, ...(headers ? { headers } : {}) });
    const picture = new Uint8Array(await png(10));
    const reply = await ask(picture, { 'content-type': 'image/png' });
    expect([reply.status, await reply.json()]).toMatchObject([status, { error }]);
    // Of many pictures it fails alone.
    const form = new FormData();
    form.append('picture', new Blob([picture]), 'a');
    const many = await ask(form);
    expect([many.status, await many.json()]).toMatchObject([200, { failed: 1, results: [{ error }] }]);
  });

  it('carry the id of the request, a good one of the client or one of ours', async () => {
    service = await startFakeService(toy.model);
    const id = async (given: string) =>
      (await fetch(`${service!.url}healthz`, { headers: { 'x-request-id': given } })).headers.get(
        'x-request-id',
      );
    expect(await id('abc-1')).toBe('abc-1');
    expect(await id('with spaces "')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
