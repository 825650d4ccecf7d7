/** C10, P2: what prompts were learned on is known by whichever door they come. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recallPrompts, rememberPrompts } from '../../../src/models/known-prompts.js';
import { originIn, originMetadata, promptOrigin } from '../../../src/models/prompt-origin.js';
import { publishedPrompts, publishedSha256 } from '../../../src/models/published-prompts.js';
import { publicTable } from '../../../src/models/weights/addresses.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder } from '../engine/toy-model.js';

const addon = makeFakeAddon();
const k_nobodys = 'f'.repeat(64);
const [one, two] = ['0123456789ab', 'ba9876543210'];
let folder: string;
beforeEach(async () => {
  folder = await makeToyFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, metadata: object = {}): Promise<string> {
  await mkdir(join(folder, name, '..'), { recursive: true });
  await writeFile(join(folder, name), JSON.stringify({ metadata }));
  return join(folder, name);
}

describe("P2: the authors' published prompts", () => {
  it('are twenty, known by their content', () => {
    const all = (['mvtec', 'visa'] as const).flatMap((set) =>
      (['crane', 'crane+'] as const).flatMap((method) =>
        [1, 2, 3, 4, 5].map((epoch) => publishedSha256(set, method, epoch)),
      ),
    );
    expect(new Set(all).size).toBe(20);
    expect(publishedPrompts(publishedSha256('visa', 'crane+', 4))).toMatchObject({
      method: 'crane+',
      learnedOn: 'visa',
      epoch: 4,
    });
    expect(publishedPrompts(k_nobodys)).toBeUndefined();
    expect(() => publishedSha256('visa', 'crane', 6)).toThrow(RangeError);
  });

  it('have the checksums of the table that `weights pull` fetches by', () => {
    for (const { sha256, learnedOn } of publicTable.files.filter((file) => file.learnedOn)) {
      expect([publishedPrompts(sha256!)?.learnedOn]).toEqual(learnedOn);
    }
  });

  it('say what they were learned on under any name', async () => {
    const path = await write('mine.pth');
    expect(await promptOrigin(addon, path, publishedSha256('mvtec', 'crane', 3))).toEqual({
      learnedOn: ['mvtec'],
      learnedPictures: null,
    });
    expect(await promptOrigin(addon, path, k_nobodys)).toEqual({ learnedOn: null, learnedPictures: null });
  });
});

describe('prompts of one epoch under another name', () => {
  const learned = { learnedOn: ['parts'], learnedPictures: new Set([one!, two!]) };
  const sha256 = 'a'.repeat(64);

  it('are known by the record of the training that they lie in', async () => {
    await write('run/prompts.safetensors', originMetadata(learned));
    const path = await write('run/best.pth');
    expect(await promptOrigin(addon, path, sha256)).toEqual({ learnedOn: null, learnedPictures: null });
    await writeFile(
      join(folder, 'run', 'run.json'),
      JSON.stringify({ epochs: [null, { epoch: 2, sha256 }] }),
    );
    expect(await promptOrigin(addon, path, sha256)).toEqual(learned);
    expect(await promptOrigin(addon, path, k_nobodys)).toEqual({ learnedOn: null, learnedPictures: null });
  });

  it('are remembered by their content wherever they lie; what is damaged or hostile is nothing', async () => {
    const env = { CRANE_CACHE: join(folder, 'cache') };
    await rememberPrompts(sha256, { ...originMetadata(learned), seed: '1' }, env);
    expect(originIn((await recallPrompts(sha256, env))!)).toEqual(learned);
    expect(await recallPrompts(k_nobodys, env)).toBeUndefined();
    for (const text of ['{', 'null', '[]', '{"learnedOn": 3}']) {
      await writeFile(join(env.CRANE_CACHE, 'prompts', `${sha256}.json`), text);
      expect(await recallPrompts(sha256, env)).toBeUndefined();
    }
    const full = { CRANE_CACHE: join(folder, 'cache', 'prompts', `${sha256}.json`) };
    await rememberPrompts(sha256, {}, full);
    expect(await recallPrompts(sha256, full)).toBeUndefined();
  });

  it('are found in the cache by whoever asks what they were learned on', async () => {
    const cache = process.env['CRANE_CACHE'];
    process.env['CRANE_CACHE'] = join(folder, 'cache');
    try {
      await rememberPrompts(sha256, originMetadata(learned));
      expect(await promptOrigin(addon, await write('elsewhere/best.pth'), sha256)).toEqual(learned);
    } finally {
      if (cache === undefined) delete process.env['CRANE_CACHE'];
      else process.env['CRANE_CACHE'] = cache;
    }
  });
});

describe('a file', () => {
  it('has the first word; those of one epoch have it from what lies beside them', async () => {
    const metadata = { learnedOn: '["a"]', learnedPictures: `${one} ${two}` };
    const own = { learnedOn: ['a'], learnedPictures: new Set([one, two]) };
    expect(await promptOrigin(addon, await write('x.safetensors', metadata), k_nobodys)).toEqual(own);
    expect(originMetadata(own)).toEqual(metadata);
    const epoch = await write('run/epoch_2.pth');
    await writeFile(join(folder, 'run', 'run.json'), JSON.stringify({ data: { learnedOn: ['b'] } }));
    expect((await promptOrigin(addon, epoch, k_nobodys)).learnedOn).toEqual(['b']);
    await write('run/prompts.safetensors', metadata);
    expect(await promptOrigin(addon, epoch, k_nobodys)).toEqual(own);
  });

  it.each([
    ['no JSON', { learnedOn: '[' }],
    ['no list', { learnedOn: '"mvtec"' }],
    ['no texts', { learnedOn: '[1]' }],
  ])('with %s says nothing', async (_, metadata) => {
    expect((await promptOrigin(addon, await write('x', metadata), k_nobodys)).learnedOn).toBeNull();
  });

  it('with pictures that are no hashes has none', async () => {
    const path = await write('x', { learnedOn: '["a"]', learnedPictures: 'all of them' });
    expect((await promptOrigin(addon, path, k_nobodys)).learnedPictures).toBeNull();
  });
});
