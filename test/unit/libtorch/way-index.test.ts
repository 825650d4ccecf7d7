import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/libtorch/attempt.js';
import { fromIndex } from '../../../src/libtorch/way-index.js';
import { FakeIndex, type Misbehaviour } from './fake-index.js';
import {
  bareEnv,
  cpuLibrary,
  type FakeWheel,
  fakeWheel,
  freshFolder,
  noise,
  torchWheels,
  writeTree,
} from './fake-torch.js';

const onLinux = process.platform === 'linux';
let index: FakeIndex | undefined;

afterEach(async () => {
  await index?.close();
  index = undefined;
});

async function fetchFrom(
  wheels = torchWheels(),
  misbehaviour: Misbehaviour = {},
  more: NodeJS.ProcessEnv = {},
) {
  index = await FakeIndex.start(wheels, misbehaviour);
  return fetchAgain(bareEnv({ PIP_INDEX_URL: index.url, ...more }));
}

async function fetchAgain(env: NodeJS.ProcessEnv, headers = true) {
  const lines: string[] = [];
  if (index) index.readerFolder = env['CRANE_CACHE']!;
  const attempt = await fromIndex(
    { variant: 'cpu', headers },
    env,
    (line) => {
      lines.push(line);
    },
    { attempts: 4, pauseMs: 5 },
  );
  const folder = join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu');
  return { attempt, lines, folder, env };
}

function causeOf(attempt: Attempt): string {
  expect(attempt).toHaveProperty('missed');
  return 'missed' in attempt ? attempt.missed.cause : '';
}

function files(folder: string): string[] {
  return (readdirSync(folder, { recursive: true, withFileTypes: true }) as import('node:fs').Dirent[])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

describe('way 4: the Python package index', () => {
  it('fetches the members the engine needs and nothing else', async () => {
    const wheels = torchWheels();
    const { attempt, folder, lines } = await fetchFrom(wheels);
    expect(attempt).toMatchObject({
      found: { way: 'index', torchRoot: join(folder, 'torch'), hasHeaders: true, version: '2.11.0+cu130' },
    });
    const got = files(folder).filter((name) => !name.includes('dist-info'));
    expect(got).toEqual(
      [
        'crane-libtorch.json',
        `torch/lib/${cpuLibrary}`,
        ...(onLinux ? ['torch/lib/libc10.so', 'torch/lib/libgomp.so.1'] : []),
        ...(onLinux ? ['nvidia/cu13/lib/libcudart.so.13', 'nvidia/cu13/lib/libcupti.so.13'] : []),
        'torch/include/ATen/ATen.h',
        'torch/include/torch/headeronly/version.h',
        'torch/version.py',
      ].sort(),
    );
    expect(files(folder).filter((name) => /LICENSE/.test(name))).toHaveLength(onLinux ? 3 : 1);
    if (onLinux) expect(lines.join('\n')).toMatch(/NVIDIA's licence/);
    const whole = wheels.reduce((sum, wheel) => sum + wheel.bytes.length, 0);
    // the CUDA library of 600 kB in the middle of the wheel is stepped over
    expect(index!.bytesSent).toBeLessThan(whole - 500_000);
    expect(existsSync(`${folder}.part`)).toBe(false);
    expect(existsSync(`${folder}.lock`)).toBe(false);
  });

  it('leaves the headers out for a prebuilt engine, and adds them in place later', async () => {
    index = await FakeIndex.start(torchWheels());
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    const { folder } = await fetchAgain(env, false);
    expect(existsSync(join(folder, 'torch', 'include'))).toBe(false);
    const library = join(folder, 'torch', 'lib', cpuLibrary);
    const before = readFileSync(library);
    index.bytesSent = 0;
    const { attempt } = await fetchAgain(env, true);
    expect(attempt).toMatchObject({ found: { hasHeaders: true } });
    expect(readFileSync(library).equals(before)).toBe(true);
    expect(index.bytesSent).toBeLessThan(200_000);
  });

  it.runIf(onLinux)('fetches the CUDA libraries and all they need for the CUDA variant only', async () => {
    const cublas = fakeWheel('nvidia_cublas', '13.1.0', {
      'nvidia/cu13/lib/libcublas.so.13': noise(2_000, 6),
    });
    index = await FakeIndex.start([...torchWheels(), cublas]);
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    const attempt = await fromIndex({ variant: 'cuda', headers: false }, env, () => {}, {
      attempts: 1,
      pauseMs: 1,
    });
    expect(attempt).toHaveProperty('found');
    const got = files(join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cu130'));
    for (const name of [
      'torch/lib/libtorch_cuda.so',
      'libcublas.so.13',
      'libcudart.so.13',
      'libnvperf_host.so',
    ])
      expect(
        got.some((file) => file.endsWith(name)),
        name,
      ).toBe(true);
  });

  it('gets the same files from a server without ranges, by one whole download', async () => {
    const { attempt, lines } = await fetchFrom(torchWheels(), { noRanges: true });
    expect(attempt).toHaveProperty('found');
    expect(lines.join('\n')).toMatch(/gives no ranges/);
    expect(index!.requests.filter((r) => r.path.includes('torch-2.11.0'))).toHaveLength(1);
  });

  it('reads an index that knows HTML pages only', async () => {
    const { attempt } = await fetchFrom(torchWheels(), { htmlOnly: true });
    expect(attempt).toHaveProperty('found');
  });

  it('fetches again what was no wheel, where the index names no sums', async () => {
    const [torch, ...rest] = torchWheels();
    const served: FakeWheel = { ...torch!, bytes: Buffer.from('<html>please log in</html>') };
    const first = await fetchFrom([served, ...rest], { htmlOnly: true, noSums: true, noRanges: true });
    expect(causeOf(first.attempt)).toMatch(/not a zip file/);
    served.bytes = torch!.bytes;
    expect((await fetchAgain(first.env)).attempt).toHaveProperty('found');
  });

  it('follows redirects of files', async () => {
    const { attempt } = await fetchFrom(torchWheels(), { redirect: true });
    expect(attempt).toHaveProperty('found');
  });

  it('sends the credentials of the address and never prints them', async () => {
    index = await FakeIndex.start(torchWheels(), { credentials: 'me:s3cret' });
    const env = bareEnv({ PIP_INDEX_URL: index.url.replace('http://', 'http://me:s3cret@') });
    const { attempt, lines } = await fetchAgain(env);
    expect(attempt).toHaveProperty('found');
    expect(JSON.stringify([attempt, lines])).not.toContain('s3cret');
  });

  it('goes on where a lost connection stopped', async () => {
    const { attempt, lines } = await fetchFrom(torchWheels(), { dropAfter: { bytes: 150_000, times: 2 } });
    expect(attempt).toHaveProperty('found');
    expect(lines.join('\n')).toMatch(/again in/);
    // the library's range has 400 kB; what was in flight when the connection broke (64 kB at most) comes again
    const last = Math.max(...index!.ranges.filter(([from, to]) => to - from > 300_000).map(([, to]) => to));
    const starts = index!.ranges.filter(([, to]) => to === last).map(([from]) => from);
    expect(starts).toHaveLength(3);
    expect(starts[1]).toBeGreaterThanOrEqual(starts[0]! + 150_000 - 65_536);
    expect(starts[2]).toBeGreaterThanOrEqual(starts[1]! + 150_000 - 65_536);
  });

  it('starts a whole download over when the connection is lost', async () => {
    const { attempt } = await fetchFrom(torchWheels(), {
      noRanges: true,
      dropAfter: { bytes: 150_000, times: 2 },
    });
    expect(attempt).toHaveProperty('found');
  });

  it('keeps what it has when it gives up, and continues there in the next run', async () => {
    index = await FakeIndex.start(torchWheels(), { dropAfter: { bytes: 150_000, times: 1 } });
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    const once = { attempts: 1, pauseMs: 1 };
    index.readerFolder = env['CRANE_CACHE']!;
    const first = await fromIndex({ variant: 'cpu', headers: true }, env, () => {}, once);
    expect(causeOf(first)).toMatch(/127\.0\.0\.1/);
    index.bytesSent = 0;
    const { attempt } = await fetchAgain(env);
    expect(attempt).toHaveProperty('found');
    // 400 kB of noise in the library, of which 150 kB came in the first run
    expect(index.bytesSent).toBeLessThan(400_000);
  });

  it('waits for a server that is overloaded for a moment', async () => {
    const { attempt } = await fetchFrom(torchWheels(), { failFirst: { status: 503, times: 2 } });
    expect(attempt).toHaveProperty('found');
  });

  it('refuses a member whose sha256 is not that of the RECORD, after a second try', async () => {
    const [torch, ...rest] = torchWheels();
    const content = {
      'torch/version.py': "__version__ = '2.11.0'\n",
      [`torch/lib/${cpuLibrary}`]: noise(50_000),
    };
    const lying = fakeWheel('torch', '2.11.0', content, {
      recordFor: (path) => (path.endsWith(cpuLibrary) ? 'A'.repeat(43) : undefined),
    });
    expect(torch!.filename).toBe(lying.filename);
    const { attempt, folder } = await fetchFrom([lying, ...rest]);
    expect(causeOf(attempt)).toMatch(new RegExp(`${cpuLibrary}.*sha256 differs`));
    expect(existsSync(folder)).toBe(false);
  });

  it('refuses bytes that were changed on the way', async () => {
    const { attempt, folder } = await fetchFrom(torchWheels(), { flipByteAt: 200_000 });
    expect(causeOf(attempt)).toMatch(/damaged|cannot be unpacked/);
    expect(existsSync(folder)).toBe(false);
  });

  it('fetches damaged bytes once more', async () => {
    const { attempt } = await fetchFrom(torchWheels(), { flipByteAt: 200_000, flipTimes: 1 });
    expect(attempt).toHaveProperty('found');
  });

  it('refuses a whole download with another sha256 than the index says', async () => {
    const { attempt } = await fetchFrom(torchWheels(), { noRanges: true, wrongSum: true });
    expect(causeOf(attempt)).toMatch(/another sha256/);
  });

  it('says when the index does not have torch at all', async () => {
    const { attempt } = await fetchFrom([]);
    expect(causeOf(attempt)).toMatch(/simple\/torch\/ answered 404/);
    expect('missed' in attempt && attempt.missed.repair).toMatch(/PIP_INDEX_URL/);
  });

  it('says when the index has other versions or platforms only', async () => {
    const other = fakeWheel('torch', '2.11.0', {}, { tag: 'cp312-cp312-riscv64_unknown' });
    const { attempt } = await fetchFrom([...torchWheels('2.10.0'), other]);
    expect(causeOf(attempt)).toMatch(/no wheel of torch 2\.11\.0 .*2 files seen/);
  });

  it('says when the index cannot be reached', async () => {
    const { attempt } = await fetchAgain(bareEnv({ PIP_INDEX_URL: 'http://127.0.0.1:9/simple' }));
    expect(causeOf(attempt)).toMatch(/127\.0\.0\.1:9.*PIP_INDEX_URL.*ECONNREFUSED/);
  });

  it('reads certificates of a folder, and goes on as Node does without those that only Node is told of', async () => {
    const folder = writeTree(freshFolder(), { 'a.pem': '', 'b.crt': '', 'private/key': '' });
    process.env['NODE_EXTRA_CA_CERTS'] = join(folder, 'gone.pem');
    try {
      const { attempt } = await fetchFrom(torchWheels(), {}, { REQUESTS_CA_BUNDLE: folder });
      expect(attempt).toHaveProperty('found');
    } finally {
      delete process.env['NODE_EXTRA_CA_CERTS'];
    }
  });

  it.runIf(onLinux)('names the setting whose certificates cannot be read', async () => {
    // There, and unreadable even for root.
    const { attempt } = await fetchFrom(torchWheels(), {}, { PIP_CERT: '/proc/self/mem' });
    expect(causeOf(attempt)).toMatch(/certificates that PIP_CERT names cannot be read/);
    expect('missed' in attempt && attempt.missed.repair).toMatch(/PIP_CERT/);
  });

  it('says when there is no index address', async () => {
    const { attempt } = await fetchAgain(bareEnv());
    expect(causeOf(attempt)).toMatch(/no index address/);
  });

  it('obeys a pip that is told to use no index', async () => {
    index = await FakeIndex.start(torchWheels());
    const { attempt } = await fetchAgain(bareEnv({ PIP_INDEX_URL: index.url, PIP_NO_INDEX: '1' }));
    expect(causeOf(attempt)).toMatch(/no index \(PIP_NO_INDEX\)/);
    expect(index.requests).toHaveLength(0);
  });

  it('names CRANE_CACHE when the cache folder cannot be written', async () => {
    index = await FakeIndex.start(torchWheels());
    const file = join(freshFolder(), 'a file');
    writeFileSync(file, '');
    const { attempt } = await fetchAgain(
      bareEnv({ PIP_INDEX_URL: index.url, CRANE_CACHE: join(file, 'cache') }),
    );
    expect(causeOf(attempt)).toMatch(/cache folder is not a folder/);
    expect('missed' in attempt && attempt.missed.repair).toMatch(/CRANE_CACHE/);
    expect(index.requests).toHaveLength(0);
  });

  it('refuses a wheel with a name that leaves the folder', async () => {
    const hostile = fakeWheel('torch', '2.11.0', { '../../outside.txt': 'x', 'torch/version.py': '' });
    const { attempt, env } = await fetchFrom([hostile]);
    expect(causeOf(attempt)).toMatch(/unsafe name/);
    expect(existsSync(join(env['CRANE_CACHE']!, '..', 'outside.txt'))).toBe(false);
  });

  const ownName = torchWheels()[0]!.filename;
  const tags = ownName.slice(ownName.indexOf('-cp'));
  // Of several of one version the last by name is chosen.
  it.each([
    ['name', `victim${tags}.unknown`, { filename: `torch-2.11.0-z/../../../victim${tags}` }],
    ['sum', 'victim', { filename: `torch-2.11.0-z${tags}`, hashes: { sha256: '/../../../victim' } }],
  ])('reaches nothing beyond its folder where the %s of a wheel is a path', async (_what, victim, entry) => {
    const cache = join(freshFolder(), 'cache');
    writeTree(join(cache, victim), { 'kept.txt': 'mine' });
    const moreFiles = ({ url }: { url: string }) => [{ url, ...entry }];
    const { attempt } = await fetchFrom(torchWheels(), { moreFiles }, { CRANE_CACHE: cache });
    expect(attempt).toHaveProperty('found');
    expect(files(join(cache, victim))).toEqual(['kept.txt']);
    expect(readdirSync(cache).sort()).toEqual(['libtorch-2.11.0-cpu', victim]);
  });

  it('says how many links of the page name no file', async () => {
    const { attempt } = await fetchFrom(torchWheels('2.10.0'), {
      moreFiles: () => [null, { filename: 'x', url: 'http://[' }],
    });
    expect(causeOf(attempt)).toMatch(/1 files seen, 2 links of the page name none/);
  });

  it('replaces a cache folder whose fetch was interrupted', async () => {
    index = await FakeIndex.start(torchWheels());
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    writeTree(join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu'), { 'torch/lib/left over': 'x' });
    const { attempt, folder } = await fetchAgain(env);
    expect(attempt).toHaveProperty('found');
    expect(existsSync(join(folder, 'torch', 'lib', 'left over'))).toBe(false);
  });

  it('downloads once when several ask at the same time', async () => {
    index = await FakeIndex.start(torchWheels());
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    const results = await Promise.all([fetchAgain(env), fetchAgain(env), fetchAgain(env)]);
    for (const { attempt } of results) expect(attempt).toHaveProperty('found');
    expect(index.requests.filter((r) => r.path === '/simple/torch/')).toHaveLength(1);
  });
});
