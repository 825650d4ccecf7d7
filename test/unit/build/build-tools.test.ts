import { chmodSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findBuildTools } from '../../../src/build/build-tools.js';
import { compileJobs } from '../../../src/build/compile-jobs.js';
import { cudaChoice } from '../../../src/build/cuda-choice.js';
import { freshFolder, writeTree } from '../libtorch/fake-torch.js';

/** A PATH whose programs print these texts. */
function pathWith(programs: Record<string, string>): NodeJS.ProcessEnv {
  const folder = freshFolder();
  for (const [name, text] of Object.entries(programs)) {
    writeTree(folder, { [name]: `#!/bin/sh\ncat <<'X'\n${text}\nX\n` });
    chmodSync(`${folder}/${name}`, 0o755);
  }
  // cat lives in /bin; real compilers are not there under these names on a system with merged folders
  writeTree(folder, { cat: '#!/bin/sh\nwhile IFS= read -r line; do echo "$line"; done\n' });
  chmodSync(`${folder}/cat`, 0o755);
  return { PATH: folder };
}

const cmake = 'cmake version 3.25.1';
const gcc = 'g++ (Debian 12.2.0-14) 12.2.0\nCopyright';
const clang = 'Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu';

describe.runIf(process.platform !== 'win32')('tools of a source build', () => {
  it('are accepted from the oldest supported version on', async () => {
    expect(
      await findBuildTools(
        pathWith({ cmake: 'cmake version 3.22.0', 'g++': 'g++ (GCC) 11.0', make: 'GNU Make' }),
      ),
    ).toEqual({
      cmake: 'cmake',
      cmakeVersion: '3.22.0',
      compiler: 'g++',
      compilerVersion: 'gcc 11.0',
      generator: 'Unix Makefiles',
    });
    expect(
      await findBuildTools(pathWith({ cmake, 'clang++': clang, ninja: '1.11', make: 'GNU Make' })),
    ).toMatchObject({
      compilerVersion: 'clang 14.0.6',
      generator: 'Ninja',
    });
  });

  it('prefers the compiler that CXX names', async () => {
    const env = {
      ...pathWith({ cmake, 'g++': gcc, 'my-clang': clang, ninja: '1' }),
      CXX: 'my-clang -stdlib=libc++',
    };
    expect(await findBuildTools(env)).toMatchObject({
      compiler: 'my-clang -stdlib=libc++',
      compilerVersion: 'clang 14.0.6',
    });
  });

  it.each([
    [
      'cmake is missing',
      { 'g++': gcc, ninja: '1' },
      /cmake 3\.22 or newer: cmake is not installed/,
      /compiler|ninja or make/,
    ],
    [
      'cmake is too old',
      { cmake: 'cmake version 3.16.3', 'g++': gcc, ninja: '1' },
      /cmake 3\.22 or newer: this is 3\.16\.3/,
      /compiler/,
    ],
    [
      'the compiler is missing',
      { cmake, ninja: '1' },
      /C\+\+20 compiler .*c\+\+ is not installed/,
      /cmake 3|ninja or make/,
    ],
    [
      'the compiler is too old',
      { cmake, 'g++': 'g++ (GCC) 9.4.0', ninja: '1' },
      /g\+\+ is gcc 9\.4\.0/,
      /cmake 3/,
    ],
    [
      'make and ninja are missing',
      { cmake, 'g++': gcc },
      /ninja or make: neither is installed/,
      /compiler|cmake 3/,
    ],
  ])('names by itself what is wrong when %s', async (_what, programs, problem, notBlamed) => {
    const failed = findBuildTools(pathWith(programs as unknown as Record<string, string>));
    await expect(failed).rejects.toMatchObject({
      code: 'E_BUILD_TOOLS',
      message: expect.stringMatching(problem),
    });
    await expect(failed).rejects.toMatchObject({ message: expect.not.stringMatching(notBlamed) });
  });

  it('lists everything missing at once', async () => {
    const { message } = (await findBuildTools(pathWith({})).catch((e: unknown) => e)) as Error;
    expect(message.split('\n')).toHaveLength(4);
  });
});

describe('compilers at once', () => {
  it('are as many as cores, fewer when memory is short, never none', () => {
    const GiB = 1024 ** 3;
    expect(compileJobs({}, { cores: 8, freeBytes: 64 * GiB })).toBe(8);
    expect(compileJobs({}, { cores: 8, freeBytes: 5 * GiB })).toBe(2);
    expect(compileJobs({}, { cores: 8, freeBytes: 0.5 * GiB })).toBe(1);
    expect(compileJobs({ CMAKE_BUILD_PARALLEL_LEVEL: '3' }, { cores: 8, freeBytes: 0 })).toBe(3);
  });
});

describe.runIf(process.platform === 'linux')('CRANE_CUDA', () => {
  const nvcc13 = {
    nvcc: 'nvcc: NVIDIA (R) Cuda compiler driver\nCuda compilation tools, release 13.0, V13.0.88',
  };
  const nvcc12 = { nvcc: 'Cuda compilation tools, release 12.8, V12.8.1' };

  it('auto is off without nvcc, and says why', async () => {
    expect(await cudaChoice(pathWith({}))).toMatchObject({
      on: false,
      reason: expect.stringMatching(/no nvcc/),
    });
    expect(await cudaChoice(pathWith(nvcc12))).toMatchObject({
      on: false,
      reason: expect.stringMatching(/12\.8, libtorch needs 13/),
    });
  });

  it('on needs an nvcc of the major version of libtorch', async () => {
    expect(await cudaChoice({ ...pathWith(nvcc13), CRANE_CUDA: 'on' })).toMatchObject({
      on: true,
      nvcc: expect.stringMatching(/nvcc$/),
    });
    for (const programs of [{}, nvcc12])
      await expect(
        cudaChoice({ ...pathWith(programs as Record<string, string>), CRANE_CUDA: 'on' }),
      ).rejects.toMatchObject({ code: 'E_BUILD_TOOLS' });
  });

  it('off asks nobody, and other words are refused', async () => {
    expect(await cudaChoice({ ...pathWith(nvcc13), CRANE_CUDA: 'off' })).toMatchObject({ on: false });
    await expect(cudaChoice({ CRANE_CUDA: 'yes' })).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});
