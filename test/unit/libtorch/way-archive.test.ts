import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fromArchive } from '../../../src/libtorch/way-archive.js';
import { downloadProgress } from '../../../src/net/download-progress.js';
import { HttpClient } from '../../../src/net/http-client.js';
import { openRemoteZip } from '../../../src/net/zip-source.js';
import { fakeZip } from '../net/fake-zip.js';
import { fakeElf } from './fake-elf.js';
import { FakeIndex } from './fake-index.js';
import { bareEnv, cpuLibrary, type FakeWheel, freshFolder, noise, writeTree } from './fake-torch.js';

const retries = { attempts: 3, pauseMs: 5 };
let server: FakeIndex | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

function archive(version = '2.11.0+cpu'): Buffer {
  return fakeZip([
    { name: `libtorch/lib/${cpuLibrary}`, data: Buffer.concat([fakeElf({ buildId: 'cd' }), noise(100_000)]) },
    { name: 'libtorch/lib/libgomp-98b21ff3.so.1', data: noise(1000, 2) },
    { name: 'libtorch/lib/libdnnl.a', data: noise(1000, 3) },
    { name: 'libtorch/include/ATen/ATen.h', data: '// ATen' },
    { name: 'libtorch/build-version', data: `${version}\n` },
    { name: 'libtorch/share/cmake/Torch/TorchConfig.cmake', data: '# cmake' },
  ]);
}

function archiveFile(bytes: Buffer): string {
  const path = join(freshFolder(), 'libtorch archive.zip');
  writeFileSync(path, bytes);
  return path;
}

function unpack(env: NodeJS.ProcessEnv) {
  return fromArchive({ variant: 'cpu', headers: true }, env, () => {}, retries);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('way 5: an archive', () => {
  it('unpacks a file named by its path', async () => {
    const env = bareEnv({ CRANE_LIBTORCH_URL: archiveFile(archive()) });
    const root = join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu', 'torch');
    expect(await unpack(env)).toMatchObject({
      found: {
        way: 'archive',
        torchRoot: root,
        version: '2.11.0+cpu',
        evidence: 'version file',
        buildId: 'cd',
      },
    });
    expect(existsSync(join(root, 'lib', 'libdnnl.a'))).toBe(false);
  });

  it.each(['file://another-host/x.zip', 'file:///a%2Fb.zip', 'https://[', 'http://'])(
    'says of an address that is none what is expected: %s',
    async (address) => {
      const attempt = await unpack(bareEnv({ CRANE_LIBTORCH_URL: address }));
      expect(attempt).toMatchObject({
        missed: {
          cause: expect.stringMatching(/^CRANE_LIBTORCH_URL: .*(expected file:|not an http address)/),
        },
      });
    },
  );

  it('takes the needed members of a remote file', async () => {
    server = await FakeIndex.start([{ filename: 'libtorch.zip', bytes: archive() }]);
    const env = bareEnv({ CRANE_LIBTORCH_URL: `${server.origin}/files/libtorch.zip` });
    expect(await unpack(env)).toHaveProperty('found');
    expect(server.ranges.length).toBeGreaterThan(0);
  });

  it('checks CRANE_LIBTORCH_SHA256, of a remote file by fetching it whole', async () => {
    const bytes = archive();
    server = await FakeIndex.start([{ filename: 'libtorch.zip', bytes }]);
    const url = `${server.origin}/files/libtorch.zip`;
    const right = bareEnv({ CRANE_LIBTORCH_URL: url, CRANE_LIBTORCH_SHA256: sha256(bytes).toUpperCase() });
    expect(await unpack(right)).toHaveProperty('found');
    expect(server.ranges).toHaveLength(0);
    const wrong = bareEnv({ CRANE_LIBTORCH_URL: url, CRANE_LIBTORCH_SHA256: sha256(Buffer.from('other')) });
    expect(await unpack(wrong)).toMatchObject({ missed: { cause: expect.stringMatching(/another sha256/) } });
    const wrongFile = bareEnv({
      CRANE_LIBTORCH_URL: archiveFile(bytes),
      CRANE_LIBTORCH_SHA256: sha256(Buffer.from('x')),
    });
    expect(await unpack(wrongFile)).toMatchObject({
      missed: { cause: expect.stringMatching(/CRANE_LIBTORCH_SHA256 says/) },
    });
  });

  it('fetches again what was no archive', async () => {
    const page: FakeWheel = { filename: 'libtorch.zip', bytes: Buffer.from('<html>please log in</html>') };
    server = await FakeIndex.start([page], { noRanges: true });
    const env = bareEnv({ CRANE_LIBTORCH_URL: `${server.origin}/files/libtorch.zip` });
    expect(await unpack(env)).toMatchObject({ missed: { cause: expect.stringMatching(/not a zip file/) } });
    page.bytes = archive();
    expect(await unpack(env)).toHaveProperty('found');
  });

  it('takes nothing that was kept of another address', async () => {
    server = await FakeIndex.start([{ filename: 'libtorch.zip', bytes: archive() }], { noRanges: true });
    const env = bareEnv({ CRANE_LIBTORCH_URL: `${server.origin}/files/libtorch.zip` });
    const torch = join('libtorch-2.11.0-cpu', 'torch', 'lib');
    writeTree(env['CRANE_CACHE']!, {
      'libtorch-2.11.0-cpu.part/parts/archive/whole.zip': archive('2.10.0+cpu'),
      'libtorch-2.11.0-cpu.part/tree/torch/lib/libother.so': 'of another archive',
    });
    expect(await unpack(env)).toMatchObject({ found: { version: '2.11.0+cpu' } });
    expect(existsSync(join(env['CRANE_CACHE']!, torch, 'libother.so'))).toBe(false);
    expect(existsSync(join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu.part'))).toBe(false);
  });

  it('holds a whole file that an earlier run kept against the sum', async () => {
    const bytes = archive();
    server = await FakeIndex.start([{ filename: 'libtorch.zip', bytes }]);
    const folder = writeTree(freshFolder(), { 'whole.zip': archive('2.10.0+cpu') });
    const client = new HttpClient();
    const log = () => {};
    const remote = { url: `${server.origin}/files/libtorch.zip`, size: undefined, whole: true };
    const transfer = { client, retries, log, progress: downloadProgress(log) };
    for (const _ of ['fetched', 'kept']) {
      await openRemoteZip({ ...remote, sha256: sha256(bytes) }, folder, transfer);
      expect(readFileSync(join(folder, 'whole.zip')).equals(bytes)).toBe(true);
    }
    expect(server.requests).toHaveLength(1);
    await client.close();
  });

  it('does not keep an archive of another version', async () => {
    const env = bareEnv({ CRANE_LIBTORCH_URL: archiveFile(archive('2.10.0+cpu')) });
    expect(await unpack(env)).toMatchObject({
      missed: { cause: expect.stringMatching(/is libtorch 2\.10\.0\+cpu/) },
    });
    expect(existsSync(join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu'))).toBe(false);
  });

  it.each([
    ['a file that is not there', 'no such.zip', /does not exist/],
    ['a file that is no zip', archiveFile(noise(2000)), /not a zip file/],
    ['a zip that was cut short', archiveFile(archive().subarray(0, 60_000)), /not a zip file, or cut short/],
    [
      'a zip without lib and include',
      archiveFile(fakeZip([{ name: 'a/b.txt', data: 'x' }])),
      /no lib\/ and include\//,
    ],
    ['a server that is not there', 'http://127.0.0.1:9/libtorch.zip', /ECONNREFUSED/],
  ])('explains %s', async (_what, url, cause) => {
    expect(await unpack(bareEnv({ CRANE_LIBTORCH_URL: url }))).toMatchObject({
      missed: {
        way: 'archive',
        cause: expect.stringMatching(cause),
        repair: expect.stringMatching(/CRANE_LIBTORCH_URL/),
      },
    });
  });
});
