import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeMarker } from '../../../src/libtorch/cache-marker.js';
import type { Wanted } from '../../../src/libtorch/root.js';
import { dropCached, fromCache } from '../../../src/libtorch/way-cache.js';
import { fromEnvironment } from '../../../src/libtorch/way-environment.js';
import { fromPython } from '../../../src/libtorch/way-python.js';
import { asNobody } from '../../as-nobody.js';
import { bareEnv, fakeRoot, freshFolder, writeTree } from './fake-torch.js';

const wanted: Wanted = { variant: 'cpu', headers: true };

describe('way 1: the environment', () => {
  it('takes the folder of CRANE_LIBTORCH before that of LIBTORCH', () => {
    const [first, second] = [fakeRoot(freshFolder()), fakeRoot(freshFolder())];
    expect(fromEnvironment(wanted, { CRANE_LIBTORCH: first, LIBTORCH: second })).toMatchObject({
      found: { torchRoot: first, way: 'environment', through: 'CRANE_LIBTORCH', version: '2.11.0' },
    });
    expect(fromEnvironment(wanted, { LIBTORCH: second })).toMatchObject({ found: { torchRoot: second } });
  });

  it('understands share/cmake/Torch inside it and a folder that holds torch/', () => {
    const outside = freshFolder();
    const root = fakeRoot(join(outside, 'torch'));
    writeTree(root, { 'share/cmake/Torch/TorchConfig.cmake': '' });
    for (const folder of [join(root, 'share', 'cmake', 'Torch'), outside])
      expect(fromEnvironment(wanted, { CRANE_LIBTORCH: folder })).toMatchObject({
        found: { torchRoot: root },
      });
  });

  it.each([
    [
      'a folder that is not there',
      (root: string) => join(root, 'none'),
      'E_LIBTORCH_NOT_FOUND',
      /does not exist/,
    ],
    ['an empty folder', () => freshFolder(), 'E_LIBTORCH_NOT_FOUND', /has no lib\//],
    [
      'another version',
      () => fakeRoot(freshFolder(), '2.10.0+cpu'),
      'E_LIBTORCH_VERSION',
      /2\.10\.0\+cpu.*2\.11\.0 is needed/,
    ],
  ])('ends the search at CRANE_LIBTORCH with %s', (_what, make, code, cause) => {
    expect(fromEnvironment(wanted, { CRANE_LIBTORCH: make(freshFolder()) })).toMatchObject({
      missed: {
        final: code,
        cause: expect.stringMatching(cause),
        repair: expect.stringMatching(/unset CRANE_LIBTORCH/),
      },
    });
  });

  it('of another user, which may not be read, is named and the search goes on', async () => {
    const root = fakeRoot(freshFolder());
    chmodSync(join(root, 'lib', 'libtorch_cpu.so'), 0);
    const attempt = await asNobody(async () => fromEnvironment(wanted, { LIBTORCH: root }));
    expect(attempt).toMatchObject({
      missed: { cause: expect.stringMatching(/libtorch_cpu\.so cannot be read \(EACCES\)/) },
    });
    expect(attempt).not.toHaveProperty('missed.final');
  });

  it('only reports a LIBTORCH of another version, which may be meant for other programs', () => {
    const attempt = fromEnvironment(wanted, { LIBTORCH: fakeRoot(freshFolder(), '2.5.1') });
    expect(attempt).toMatchObject({ missed: { otherVersion: true } });
    expect(attempt).not.toHaveProperty('missed.final');
  });

  it('takes the build id as evidence before anything a file says', () => {
    const root = fakeRoot(freshFolder(), '9.9.9', 'feed');
    expect(fromEnvironment({ ...wanted, buildId: 'feed' }, { CRANE_LIBTORCH: root })).toMatchObject({
      found: { evidence: 'build id', version: '2.11.0' },
    });
  });

  it('reads the version from build-version and from the headers', () => {
    const root = fakeRoot(freshFolder());
    rmSync(join(root, 'version.py'));
    writeTree(root, { 'include/torch/csrc/api/include/torch/version.h': '#define TORCH_VERSION "2.11.0"' });
    expect(fromEnvironment(wanted, { CRANE_LIBTORCH: root })).toMatchObject({
      found: { evidence: 'headers' },
    });
    writeTree(root, { 'build-version': '2.11.0+cpu\n' });
    expect(fromEnvironment(wanted, { CRANE_LIBTORCH: root })).toMatchObject({
      found: { evidence: 'version file' },
    });
  });

  it('refuses a libtorch that does not say its version', () => {
    const root = fakeRoot(freshFolder());
    rmSync(join(root, 'version.py'));
    expect(fromEnvironment(wanted, { CRANE_LIBTORCH: root })).toMatchObject({
      missed: { final: 'E_LIBTORCH_VERSION' },
    });
  });

  it('needs headers for compiling only, and the CUDA library for the CUDA variant only', () => {
    const root = fakeRoot(freshFolder());
    rmSync(join(root, 'include'), { recursive: true });
    const env = { CRANE_LIBTORCH: root };
    expect(fromEnvironment(wanted, env)).toMatchObject({
      missed: { cause: expect.stringMatching(/ATen\.h/) },
    });
    expect(fromEnvironment({ ...wanted, headers: false }, env)).toMatchObject({
      found: { hasHeaders: false },
    });
    expect(fromEnvironment({ variant: 'cuda', headers: false }, env)).toMatchObject({
      missed: { cause: expect.stringMatching(/cuda/) },
    });
  });
});

describe('way 2: the cache', () => {
  async function cached(marker: boolean) {
    const env = bareEnv();
    const folder = join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu');
    fakeRoot(join(folder, 'torch'));
    if (marker) await writeMarker(folder, { version: '2.11.0', source: 'test', headers: true });
    return { env, folder };
  }

  it('takes a complete folder', async () => {
    const { env, folder } = await cached(true);
    expect(await fromCache(wanted, env)).toMatchObject({
      found: { way: 'cache', torchRoot: join(folder, 'torch') },
    });
  });

  it('does not trust a folder whose fetch was interrupted', async () => {
    const { env, folder } = await cached(false);
    expect(await fromCache(wanted, env)).toMatchObject({
      missed: { cause: expect.stringMatching(/interrupted/) },
    });
    writeFileSync(join(folder, 'crane-libtorch.json'), '{"version": "2.1');
    expect(await fromCache(wanted, env)).toHaveProperty('missed');
  });

  it('is empty after it was dropped', async () => {
    const { env } = await cached(true);
    await dropCached('cpu', env);
    expect(await fromCache(wanted, env)).toMatchObject({
      missed: { cause: expect.stringMatching(/does not exist/) },
    });
  });
});

describe('way 3: a torch installed for Python', () => {
  /** A python3 that answers with this text. */
  function interpreter(folder: string, answer: string): string {
    const path = join(folder, 'python3');
    writeTree(folder, { python3: `#!/bin/sh\n${answer}\n` });
    chmodSync(path, 0o755);
    return path;
  }

  it('takes the torch of the python3 in the PATH', async () => {
    const root = fakeRoot(join(freshFolder(), 'site-packages', 'torch'));
    const folder = freshFolder();
    interpreter(folder, `echo '${root}'`);
    expect(await fromPython(wanted, bareEnv({ PATH: folder }))).toMatchObject({
      found: { way: 'python', torchRoot: root, through: 'python3' },
    });
  });

  it('asks the active virtual environment first', async () => {
    const inVenv = fakeRoot(join(freshFolder(), 'torch'));
    const venv = freshFolder();
    const path = interpreter(join(venv, 'bin'), `echo '${inVenv}'`);
    const folder = freshFolder();
    interpreter(folder, `echo '${fakeRoot(freshFolder())}'`);
    expect(await fromPython(wanted, bareEnv({ PATH: folder, VIRTUAL_ENV: venv }))).toMatchObject({
      found: { torchRoot: inVenv, through: path },
    });
  });

  it('asks no interpreter when the place the build found is still good', async () => {
    const root = fakeRoot(freshFolder());
    const folder = freshFolder();
    interpreter(folder, 'exit 1');
    expect(await fromPython({ ...wanted, knownRoot: root }, bareEnv({ PATH: folder }))).toMatchObject({
      found: { torchRoot: root },
    });
  });

  it.each([
    ['no Python', '', /python3 is not installed/],
    ['a Python without torch', 'echo', /python3 has no torch/],
    [
      'a torch of another version',
      `echo '${fakeRoot(freshFolder(), '2.12.0')}'`,
      /libtorch 2\.12\.0.*2\.11\.0 is needed/,
    ],
    ['a Python that fails', 'echo "no module named encodings" >&2; exit 1', /no module named encodings/],
  ])('explains %s', async (_what, answer, cause) => {
    const folder = freshFolder();
    if (answer) interpreter(folder, answer);
    expect(await fromPython(wanted, bareEnv({ PATH: `${folder}` }))).toMatchObject({
      missed: { cause: expect.stringMatching(cause), repair: 'python3 -m pip install torch==2.11.0' },
    });
  });
});
