/** Pages of a package index and redirects as a hostile or broken server gives them: none is taken for a fault of ours. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { explainFetchFailure } from '../../../src/net/fetch-failure.js';
import { HttpClient, httpUrl, readText } from '../../../src/net/http-client.js';
import { projectFiles } from '../../../src/net/simple-index.js';

// A proxy of the machine must not stand between the tests and their server.
process.env['NO_PROXY'] = '127.0.0.1';

const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function withClient<T>(use: (client: HttpClient) => Promise<T>): Promise<T> {
  const client = new HttpClient();
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function filesOf(page: string, type: string) {
  const index = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': type }).end(page);
  });
  return withClient((client) => projectFiles(client, `${index}/simple`, 'torch'));
}

const json = (page: unknown) => filesOf(JSON.stringify(page), 'application/vnd.pypi.simple.v1+json');
const html = (page: string) => filesOf(page, 'text/html');
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it should have failed'),
    // What is rethrown is E_INTERNAL to the user.
    (thrown: unknown) => explainFetchFailure(thrown, 'the index').cause,
  );
const sum = 'a'.repeat(64);

describe('a page of files', () => {
  const good = { filename: 'torch-1-py3-none-any.whl', url: 'files/t.whl' };

  it('is read with its sums, sizes and what was yanked', async () => {
    const { files, leftOut } = await json({
      files: [
        { ...good, hashes: { sha256: sum.toUpperCase(), md5: 5 }, size: 7, yanked: 'broken' },
        { ...good, hashes: {}, size: null, yanked: false },
        good,
      ],
    });
    expect(files).toMatchObject([
      { ...good, url: expect.stringMatching(/\/simple\/torch\/files\/t\.whl$/), sha256: sum, yanked: true },
      { sha256: undefined, size: undefined, yanked: false },
      { sha256: undefined, size: undefined, yanked: false },
    ]);
    expect(files[0]!.size).toBe(7);
    expect(leftOut).toBe(0);
  });

  it.each<[string, unknown]>([
    ['a link that is none', { ...good, url: 'http://[' }],
    ['a link of another protocol', { ...good, url: 'file:///etc/passwd' }],
    ['a link that is no text', { ...good, url: 5 }],
    ['no link', { filename: good.filename }],
    ['a name with folders', { ...good, filename: 'torch-1-../../../evil-py3-any.whl' }],
    ['a name with folders of Windows', { ...good, filename: 'torch-1-..\\evil-py3-any.whl' }],
    ['a name that is no text', { ...good, filename: ['x'] }],
    ['a sum that is no text', { ...good, hashes: { sha256: 5 } }],
    ['a sum that is a path', { ...good, hashes: { sha256: '../../../evil' } }],
    ['a sum that is cut off', { ...good, hashes: { sha256: sum.slice(1) } }],
    ['a size that is none', { ...good, size: -1 }],
    ['null', null],
  ])('leaves out an entry with %s, and counts it', async (_what, entry) => {
    const { files, leftOut } = await json({ files: [good, entry, good] });
    expect([files.length, leftOut]).toEqual([2, 1]);
  });

  it.each(['null', '[]', '{}', '{"files":{}}', '5', '{', ''])('that is %o is told of', async (page) => {
    expect(await failureOf(filesOf(page, 'application/json'))).toMatch(
      /simple\/torch\/: not the page of a package index/,
    );
  });

  it('of links leaves out those that lead to no file that could be kept', async () => {
    const { files, leftOut } = await html(
      [
        `<a href="ok-1.whl#sha256=${sum}">`,
        '<a href="http://[">',
        '<a href="mailto:x@y">',
        '<a href="%zz.whl">',
        '<a href="..%2f..%2fevil.whl">',
        '<a href="other-1.whl#sha256=../../evil">',
        '<a name="top">',
        '<a href="../">',
      ].join('\n'),
    );
    expect(files).toMatchObject([{ filename: 'ok-1.whl', sha256: sum }]);
    expect(leftOut).toBe(6);
  });
});

it('a page of links that never end is read in time of its length', async () => {
  const { files } = await html(`<a href="ok-1.whl">${'<a '.repeat(1_000_000)}`);
  expect(files).toMatchObject([{ filename: 'ok-1.whl' }]);
});

describe('an address that is none', () => {
  it.each(['http://[', 'ftp://127.0.0.1/file', 'file:///etc/passwd'])(
    'of a redirect is told: %s',
    async (location) => {
      const from = await serve((_request, response) => void response.writeHead(302, { location }).end());
      expect(await failureOf(withClient((client) => client.get(from)))).toMatch(
        /127\.0\.0\.1:\d+\/ redirects to what is no http address/,
      );
    },
  );

  it.each(['http://', 'https://a b/', '/mnt/index', 'ftp://x/'])(
    'of the index is told: %s',
    async (index) => {
      expect(await failureOf(withClient((client) => projectFiles(client, index, 'torch')))).toContain(
        'not an http address',
      );
    },
  );

  it.each([
    ['HTTP_PROXY', 'http://'],
    ['http_proxy', 'ftp://127.0.0.1:1'],
    ['HTTPS_PROXY', 'http://me:pa/ss@host:1'],
  ])('of a proxy is told by its variable, without its password: %s=%s', async (variable, value) => {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'])
      vi.stubEnv(name, undefined);
    vi.stubEnv(variable, value);
    const cause = await failureOf(withClient((client) => client.get('http://127.0.0.1:9/')));
    expect(cause).toBe(`the proxy that ${variable} names is no address`);
  });

  it('is read leniently where a % begins no escape', async () => {
    const from = await serve((request, response) => void response.end(request.headers.authorization));
    const url = from.replace('http://', 'http://me:100%@');
    const said = await withClient(async (client) => readText(await client.get(url)));
    expect(said).toBe(`Basic ${Buffer.from('me:100%').toString('base64')}`);
  });

  it('is undefined to who asks', () => {
    expect(httpUrl('x', 'http://a/b/')?.href).toBe('http://a/b/x');
    expect(['x', 'http://[', 'data:,x'].map((text) => httpUrl(text))).toEqual(Array(3).fill(undefined));
  });
});

it('a proxy without a protocol is one of http', async () => {
  const asked: string[] = [];
  const proxy = await serve((request, response) => {
    asked.push(request.url!);
    response.end('through');
  });
  servers[0]!.on('connect', (request, socket) => {
    asked.push(request.url!);
    socket.end('HTTP/1.1 403 no\r\n\r\n');
  });
  for (const name of ['http_proxy', 'no_proxy', 'NO_PROXY']) vi.stubEnv(name, undefined);
  vi.stubEnv('HTTP_PROXY', proxy.replace('http://', ''));
  await withClient((client) => client.get('http://files.invalid/x').catch(() => {}));
  expect(asked).toEqual([expect.stringContaining('files.invalid')]);
});
