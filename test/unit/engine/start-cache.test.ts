import { mkdir, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineFacts, NativeAddon } from '../../../src/addon/native.js';
import { StartCache } from '../../../src/engine/start-cache.js';
import type { Model } from '../../../src/models/model-json.js';

let scratch: string;
let model: Model;
const env = () => ({ CRANE_CACHE: join(scratch, 'cache') });
const inCache = (name: string) => join(scratch, 'cache', 'start', name);
const open = async () => (await StartCache.open(model, env()))!;
const facts = (packed: 'written' | 'mapped') =>
  ({ vision: { packed }, device: 'cpu', threads: 2 }) as unknown as EngineFacts;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane stärt '));
  await writeFile(join(scratch, 'w.safetensors'), 'weights');
  model = {
    folder: scratch,
    weights: [{ file: 'w.safetensors', sha256: 'a'.repeat(64), bytes: 7 }],
    text: { activation: 'quick-gelu', layerNormEps: 1e-5 },
  } as unknown as Model;
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

describe('the identity of weights', () => {
  it('is the same as long as the files are', async () => {
    const first = await open();
    expect(first.identity).toMatch(/^[0-9a-f]{32}$/);
    expect((await open()).identity).toBe(first.identity);
  });

  it('is another one when a file was written again, has another size or another declared sum', async () => {
    const seen = new Set([(await open()).identity]);
    await utimes(join(scratch, 'w.safetensors'), new Date(1000), new Date(1000));
    seen.add((await open()).identity);
    await writeFile(join(scratch, 'w.safetensors'), 'other weights');
    await utimes(join(scratch, 'w.safetensors'), new Date(1000), new Date(1000));
    seen.add((await open()).identity);
    model.weights[0]!.sha256 = 'b'.repeat(64);
    seen.add((await open()).identity);
    expect(seen.size).toBe(4);
  });

  it('is none where no folder can be made', async () => {
    await writeFile(join(scratch, 'cache'), 'a file');
    expect(await StartCache.open(model, env())).toBeUndefined();
  });
});

describe('the file of a prompt set', () => {
  const addonWith = (kernels: string) =>
    ({ info: async () => ({ version: '1', libtorch: '2', isa: 'avx2', kernels }) }) as unknown as NativeAddon;
  const addon = addonWith('attention=fused');
  const source = {
    texts: { normal: [Int32Array.of(1, 2)], anomalous: [Int32Array.of(1, 3)] },
    files: { prompts: 'p' },
  };
  const method = (halfDeepTokens: boolean) => ({ compat: { halfDeepTokens } }) as never;

  it('is one for all that decides the vectors', async () => {
    const cache = await open();
    const prompts = { sha256: 'c', stamp: '1:1' };
    const plain = await cache.vectorsFile(addon, model, facts('mapped'), prompts, source, method(true));
    expect(await cache.vectorsFile(addon, model, facts('mapped'), prompts, source, method(true))).toBe(plain);
    const others = await Promise.all([
      cache.vectorsFile(addon, model, facts('mapped'), prompts, source, method(false)),
      cache.vectorsFile(addon, model, { ...facts('mapped'), threads: 3 }, prompts, source, method(true)),
      cache.vectorsFile(addon, model, facts('mapped'), { ...prompts, stamp: '1:2' }, source, method(true)),
      cache.vectorsFile(
        addon,
        model,
        facts('mapped'),
        prompts,
        { ...source, texts: { ...source.texts, anomalous: [Int32Array.of(1, 4)] } },
        method(true),
      ),
      cache.vectorsFile(addonWith('attention=ref'), model, facts('mapped'), prompts, source, method(true)),
    ]);
    expect(new Set([plain, ...others]).size).toBe(6);
  });
});

describe('tidying', () => {
  /** A file with a hole of that size. */
  async function put(name: string, bytes: number, ageHours: number): Promise<void> {
    await mkdir(join(scratch, 'cache', 'start'), { recursive: true });
    await writeFile(inCache(name), '');
    await truncate(inCache(name), bytes);
    const used = new Date(Date.now() - ageHours * 3_600_000);
    await utimes(inCache(name), used, used);
  }

  it('lets go what was used longest ago and half-written files of the past, never its own', async () => {
    const cache = await open();
    const own = `${cache.identity}.vision.avx512.safetensors`;
    await put(own, 6 * 2 ** 30, 900);
    await put('recent.vision.avx512.safetensors', 2 ** 30, 1);
    await put('old.vision.avx512.safetensors', 3 * 2 ** 30, 100);
    await put('x.safetensors.1-0.tmp', 10, 2);
    await put('y.safetensors.2-0.tmp', 10, 0.1);
    await cache.tidy(facts('written'));
    expect((await readdir(join(scratch, 'cache', 'start'))).sort()).toEqual(
      [own, 'recent.vision.avx512.safetensors', 'y.safetensors.2-0.tmp'].sort(),
    );
  });

  it('marks what is used', async () => {
    const cache = await open();
    const own = `${cache.identity}.vision.avx512.safetensors`;
    await put(own, 10, 100);
    await put('old.vision.avx512.safetensors', 20 * 2 ** 30, 100);
    await cache.tidy(facts('mapped'));
    expect(Date.now() - (await stat(inCache(own))).mtimeMs).toBeLessThan(3_600_000);
    expect(await readdir(join(scratch, 'cache', 'start'))).toHaveLength(2);
  });

  it('does not mind that the folder is gone', async () => {
    const cache = await open();
    await rm(join(scratch, 'cache'), { recursive: true });
    await expect(cache.tidy(facts('written'))).resolves.toBeUndefined();
  });
});
