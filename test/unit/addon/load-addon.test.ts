import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addonFolders, hasAddons } from '../../../src/addon/addon-folder.js';
import { type BuildRecord, engineFile, loaderFile, recordFile } from '../../../src/addon/build-record.js';
import { packageVersion } from '../../../src/files/package-root.js';
import { fakeElf } from '../libtorch/fake-elf.js';
import { bareEnv, cpuLibrary, fakeRoot, freshFolder, writeTree } from '../libtorch/fake-torch.js';

/** The module keeps the engine it loaded, so every test takes a fresh copy of it. */
async function load() {
  vi.resetModules();
  const { loadAddon } = await import('../../../src/addon/load-addon.js');
  return loadAddon();
}

const good: BuildRecord = {
  version: packageVersion(),
  libtorch: '2.11.0',
  libtorchBuildId: 'abcdef0123',
  cuda: false,
  napi: 8,
};

let before: NodeJS.ProcessEnv;

beforeEach(() => {
  before = { ...process.env };
  for (const name of ['VIRTUAL_ENV', 'CONDA_PREFIX', 'LIBTORCH', 'CRANE_LIBTORCH']) delete process.env[name];
  Object.assign(process.env, bareEnv());
});

afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});

function addonFolder(record: Partial<BuildRecord> | string): string {
  const folder = freshFolder();
  writeTree(folder, {
    [loaderFile]: 'not a library',
    [engineFile]: 'not a library',
    [recordFile]: typeof record === 'string' ? record : JSON.stringify(record),
  });
  process.env['CRANE_ADDON'] = folder;
  return folder;
}

describe('loading the engine', () => {
  it('says how to build it when it was not built', async () => {
    process.env['CRANE_ADDON'] = freshFolder();
    await expect(load()).rejects.toMatchObject({
      code: 'E_ADDON_NOT_BUILT',
      hint: expect.stringMatching(/npx crane-native build/),
    });
  });

  it.each<[string, Partial<BuildRecord> | string, string, RegExp]>([
    ['without a readable record', '{"version"', 'E_ADDON_LOAD', /cannot be read/],
    ['with half a record', { version: good.version }, 'E_ADDON_LOAD', /not complete/],
    [
      'of another version of the package',
      { ...good, version: '0.0.1' },
      'E_ADDON_LOAD',
      /from crane-native 0\.0\.1/,
    ],
    [
      'built for another libtorch',
      { ...good, libtorch: '2.9.0' },
      'E_LIBTORCH_VERSION',
      /for libtorch 2\.9\.0/,
    ],
    ['for a newer Node', { ...good, napi: 99 }, 'E_ADDON_LOAD', /Node-API 99/],
  ])('refuses an addon %s before opening anything', async (_what, record, code, message) => {
    addonFolder(record);
    process.env['CRANE_LIBTORCH'] = fakeRoot(freshFolder());
    await expect(load()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('refuses another libtorch with a coded error', async () => {
    addonFolder(good);
    process.env['CRANE_LIBTORCH'] = fakeRoot(freshFolder(), '2.10.0', 'beef');
    await expect(load()).rejects.toMatchObject({ code: 'E_LIBTORCH_VERSION' });
  });

  it('explains that libtorch is missing, and tries again at the next call', async () => {
    addonFolder(good);
    await expect(load()).rejects.toMatchObject({
      code: 'E_LIBTORCH_NOT_FOUND',
      hint: expect.stringMatching(/npx crane-native build --fetch/),
    });
    process.env['CRANE_LIBTORCH'] = fakeRoot(freshFolder());
    await expect(load()).rejects.toMatchObject({
      code: 'E_ADDON_LOAD',
      message: expect.stringMatching(/crane_loader/),
    });
  });
});

describe.runIf(process.platform === 'linux')('loading with the addons that were built', () => {
  const built = addonFolders(undefined, {}).find(hasAddons);

  /** The built addons with a record that fits the libtorch of the test. */
  function copyOfBuilt(changes: Partial<BuildRecord>): void {
    const folder = freshFolder();
    mkdirSync(folder, { recursive: true });
    for (const name of [loaderFile, engineFile]) copyFileSync(join(built!, name), join(folder, name));
    const record = { ...JSON.parse(readFileSync(join(built!, recordFile), 'utf8')), ...changes };
    writeFileSync(join(folder, recordFile), JSON.stringify(record));
    process.env['CRANE_ADDON'] = folder;
  }

  it('has addons to test with', () => expect(built, 'run npx crane-native build first').toBeDefined());

  it('tells what the linker says of a damaged library, and does not end the process', async () => {
    copyOfBuilt({ libtorchBuildId: '', cuda: false });
    const root = fakeRoot(freshFolder());
    writeFileSync(join(root, 'lib', cpuLibrary), fakeElf({ buildId: 'ab' }));
    process.env['CRANE_LIBTORCH'] = root;
    await expect(load()).rejects.toMatchObject({
      code: 'E_LIBTORCH_LOAD',
      message: expect.stringMatching(new RegExp(cpuLibrary.replace('.', '\\.'))),
    });
  });

  it("names NVIDIA's library that libtorch needs and that is nowhere", async () => {
    copyOfBuilt({ libtorchBuildId: '', cuda: false });
    const root = fakeRoot(freshFolder());
    writeFileSync(join(root, 'lib', cpuLibrary), fakeElf({ buildId: 'ab', needed: ['libcupti.so.99'] }));
    process.env['CRANE_LIBTORCH'] = root;
    await expect(load()).rejects.toMatchObject({
      code: 'E_LIBTORCH_LOAD',
      message: expect.stringMatching(/needs libcupti\.so\.99/),
    });
  });

  it('names an engine that cannot be opened', async () => {
    copyOfBuilt({});
    const folder = process.env['CRANE_ADDON']!;
    const record = JSON.parse(readFileSync(join(folder, recordFile), 'utf8')) as BuildRecord;
    // the real libtorch, found where the build found it
    rmSync(join(folder, engineFile));
    writeFileSync(join(folder, engineFile), 'cut short');
    if (record.libtorchRoot) process.env['CRANE_LIBTORCH'] = record.libtorchRoot;
    await expect(load()).rejects.toMatchObject({
      code: 'E_ADDON_LOAD',
      message: expect.stringMatching(/crane_engine/),
    });
  });

  it('opens the engine and tells which libtorch it took', async () => {
    copyOfBuilt({});
    const loaded = await load();
    expect((await loaded.addon.info()).version).toBe(packageVersion());
    expect(loaded.libtorch.version).toMatch(/^2\.11\.0/);
  });
});
