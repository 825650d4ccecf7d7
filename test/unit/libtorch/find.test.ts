import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { writeMarker } from '../../../src/libtorch/cache-marker.js';
import { findLibtorch, lookUpLibtorch } from '../../../src/libtorch/find.js';
import { FakeIndex } from './fake-index.js';
import { bareEnv, fakeRoot, freshFolder, torchWheels } from './fake-torch.js';

let index: FakeIndex | undefined;

afterEach(async () => {
  await index?.close();
  index = undefined;
});

describe('finding libtorch', () => {
  it('takes the ways in their order and prints the choice', async () => {
    index = await FakeIndex.start(torchWheels());
    const lines: string[] = [];
    const log = (line: string) => {
      lines.push(line);
    };
    const env = bareEnv({ PIP_INDEX_URL: index.url });
    expect((await findLibtorch({ env, log })).way).toBe('index');
    // now the cache has it
    const requests = index.requests.length;
    expect((await findLibtorch({ env, log })).way).toBe('cache');
    expect(index.requests).toHaveLength(requests);
    const root = fakeRoot(freshFolder());
    expect((await findLibtorch({ env: { ...env, CRANE_LIBTORCH: root }, log })).way).toBe('environment');
    expect(lines.at(-1)).toBe(
      `libtorch 2.11.0: ${root} (environment: CRANE_LIBTORCH; version by its version file)`,
    );
  });

  it('tells of every way its cause and its repair when all fail', async () => {
    const env = bareEnv();
    const failed = findLibtorch({ env, log: () => {} });
    await expect(failed).rejects.toMatchObject({ code: 'E_LIBTORCH_NOT_FOUND', exitCode: 5 });
    const { message } = (await failed.catch((thrown: unknown) => thrown)) as Error;
    for (const way of ['environment', 'cache', 'Python torch', 'Python package index', 'archive'])
      expect(message).toMatch(new RegExp(`^ {2}${way}: .+\n {6}repair: .+`, 'm'));
  });

  it('opens no connection when it only looks up', async () => {
    index = await FakeIndex.start(torchWheels());
    const env = bareEnv({ PIP_INDEX_URL: index.url, CRANE_LIBTORCH_URL: `${index.origin}/files/x.zip` });
    await expect(lookUpLibtorch({ env })).rejects.toMatchObject({
      code: 'E_LIBTORCH_NOT_FOUND',
      hint: expect.stringMatching(/npx crane-native build --fetch/),
    });
    expect(index.requests).toHaveLength(0);
  });

  it('says E_LIBTORCH_VERSION when the only libtorch there is has another version', async () => {
    const env = bareEnv({ LIBTORCH: fakeRoot(freshFolder(), '2.9.0') });
    await expect(lookUpLibtorch({ env })).rejects.toMatchObject({
      code: 'E_LIBTORCH_VERSION',
      message: expect.stringMatching(/2\.9\.0.*2\.11\.0 is needed/),
    });
  });

  it('stops at a wrong CRANE_LIBTORCH although the cache has the right one', async () => {
    const env = bareEnv({ CRANE_LIBTORCH: fakeRoot(freshFolder(), '2.9.0') });
    const folder = join(env['CRANE_CACHE']!, 'libtorch-2.11.0-cpu');
    fakeRoot(join(folder, 'torch'));
    await writeMarker(folder, { version: '2.11.0', source: 'test', headers: true });
    await expect(findLibtorch({ env })).rejects.toMatchObject({ code: 'E_LIBTORCH_VERSION' });
    const { CRANE_LIBTORCH: _unset, ...rest } = env;
    expect((await findLibtorch({ env: rest, log: () => {} })).way).toBe('cache');
  });
});
