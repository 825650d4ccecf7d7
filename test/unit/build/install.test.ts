import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lastBuildFailure } from '../../../src/addon/addon-folder.js';
import { type BuildRecord, engineFile, loaderFile, recordFile } from '../../../src/addon/build-record.js';
import { systemGlibc } from '../../../src/addon/glibc.js';
import { install } from '../../../src/build/install.js';
import { platformKey } from '../../../src/libtorch/platform.js';
import { bareEnv, fakeRoot, freshFolder, writeTree } from '../libtorch/fake-torch.js';

const record: BuildRecord = {
  version: '1.2.3',
  libtorch: '2.11.0',
  libtorchBuildId: 'ab',
  cuda: false,
  napi: 8,
  glibc: '2.1',
};

function packedPackage(changes: Partial<BuildRecord> | undefined): string {
  const root = writeTree(freshFolder(), {
    'package.json': JSON.stringify({ name: 'crane-native', version: '1.2.3' }),
  });
  if (changes)
    writeTree(join(root, 'prebuilds', platformKey()), {
      [loaderFile]: '',
      [engineFile]: '',
      [recordFile]: JSON.stringify({ ...record, ...changes }),
    });
  return root;
}

async function run(root: string, env: NodeJS.ProcessEnv) {
  const lines: string[] = [];
  const log = (line: string) => {
    lines.push(line);
  };
  return { status: await install({ root, env, log }), text: lines.join('\n') };
}

describe('npm install', () => {
  it('compiles nothing when the package brings an engine for this platform', async () => {
    const root = packedPackage({});
    const { status, text } = await run(root, bareEnv({ CRANE_LIBTORCH: fakeRoot(freshFolder()) }));
    expect(text).toMatch(/nothing to compile/);
    expect(status).toBe(0);
    expect(existsSync(join(root, 'build'))).toBe(false);
  });

  it('succeeds without libtorch, and says what is left to do', async () => {
    const { status, text } = await run(packedPackage({}), bareEnv());
    expect(status).toBe(0);
    expect(text).toMatch(/E_LIBTORCH_NOT_FOUND[\s\S]*npx crane-native build --fetch/);
  });

  it('fails on another libtorch that the user named', async () => {
    const { status, text } = await run(
      packedPackage({}),
      bareEnv({ CRANE_LIBTORCH: fakeRoot(freshFolder(), '2.9.0', 'ff') }),
    );
    expect(status).toBe(5);
    expect(text).toMatch(/E_LIBTORCH_VERSION/);
  });

  it('fails with the names of the missing tools when there is nothing prebuilt, and keeps the account', async () => {
    const root = packedPackage(undefined);
    const { status, text } = await run(root, bareEnv());
    expect(status).toBe(5);
    expect(text).toMatch(/E_BUILD_TOOLS[\s\S]*cmake 3\.22/);
    expect(lastBuildFailure(root)).toMatch(/^E_BUILD_TOOLS: /);
  });

  it('says that the folder of the build cannot be written, and is left for later', async () => {
    const root = writeTree(packedPackage(undefined), { build: 'a file' });
    const { status, text } = await run(root, bareEnv());
    expect(text).toMatch(/E_IO_WRITE: .*what to do: .*nothing can be scored before/s);
    expect(status).toBe(0);
  });

  it.runIf(systemGlibc() !== undefined)(
    'builds from source where the C library is too old for what is prebuilt',
    async () => {
      const { status, text } = await run(packedPackage({ glibc: '99.0' }), bareEnv());
      expect(text).toMatch(/needs glibc 99\.0, here is 2\.\d+; building from source/);
      expect(status).toBe(5);
    },
  );

  it('does not take a prebuilt engine of another version, nor one in a clone', async () => {
    expect((await run(packedPackage({ version: '1.0.0' }), bareEnv())).text).toMatch(/E_BUILD_TOOLS/);
    const clone = packedPackage({});
    writeTree(clone, { 'src/errors.ts': '' });
    expect((await run(clone, bareEnv())).text).toMatch(/E_BUILD_TOOLS/);
  });
});
