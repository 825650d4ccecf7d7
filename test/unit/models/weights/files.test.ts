/** verify, convert and synth with the built engine on small files. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SynthTensor } from '../../../../src/addon/native.js';
import type { CraneError } from '../../../../src/errors.js';
import { isThere } from '../../../../src/files/write-whole.js';
import type { ClipSizes } from '../../../../src/models/backbones.js';
import { embeddedModels } from '../../../../src/models/find-model.js';
import { publicTable } from '../../../../src/models/weights/addresses.js';
import { convert } from '../../../../src/models/weights/convert.js';
import { clipTensors } from '../../../../src/models/weights/recipe.js';
import { dinov2Tensors } from '../../../../src/models/weights/recipe-sources.js';
import { recordOf } from '../../../../src/models/weights/store.js';
import { findTarget } from '../../../../src/models/weights/targets.js';
import { verifyFile } from '../../../../src/models/weights/verify.js';
import { leave } from '../../files/left.js';
import { builtAddon } from './built-addon.js';
import { sha256 } from './workplace.js';

const addon = (await builtAddon())!;
const small: ClipSizes = {
  vision: { width: 64, layers: 2, patch: 14, grid: 2 },
  text: { width: 64, layers: 1, context: 77, vocabulary: 8 },
  joint: 64,
};
let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane gewichte ü '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it should have failed'),
    (thrown: unknown) => thrown as CraneError,
  );
const write = async (name: string, tensors: SynthTensor[] = clipTensors(small, 'test')) => {
  await addon.synthWeights(at(name), tensors, {});
  return at(name);
};
const verify = (path: string, promise?: { sha256: string; bytes?: number }) =>
  verifyFile({ path, ...(promise ? { promise: { by: 'model.json', ...promise } } : {}) }, addon, publicTable);

describe.skipIf(!addon)('verify', () => {
  it('tells what is in a sound file', async () => {
    const path = await write('clip.safetensors');
    expect(await verify(path)).toMatchObject({
      container: 'safetensors',
      naming: 'openai-clip',
      tensors: 50,
      sizes: { vision: { width: 64, layers: 2, patch: 14 }, text: { context: 77 }, jointWidth: 64 },
      sha256: sha256(await readFile(path)),
      promisedBy: [],
    });
  });

  it.each([
    [
      'a missing tensor',
      (tensors: SynthTensor[]) => tensors.filter(({ name }) => name !== 'visual.ln_post.bias'),
      'E_WEIGHTS_MISSING',
      /visual\.ln_post\.bias/,
    ],
    [
      'a shape that fits nothing',
      (tensors: SynthTensor[]) =>
        tensors.map((tensor) => (tensor.name === 'visual.proj' ? { ...tensor, shape: [63, 64] } : tensor)),
      'E_WEIGHTS_SHAPE',
      /visual\.proj.*63/,
    ],
    [
      'a value that is not finite',
      (tensors: SynthTensor[]) =>
        tensors.map((tensor) => (tensor.name === 'ln_final.bias' ? { ...tensor, exponent: -20 } : tensor)),
      'E_WEIGHTS_NONFINITE',
      /ln_final\.bias/,
    ],
  ])('names %s', async (_what, damage, code, message) => {
    const path = await write('clip.safetensors', damage(clipTensors(small, 'test')));
    expect(await failure(verify(path))).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('a file cut short', async () => {
    const path = await write('clip.safetensors');
    const content = await readFile(path);
    await writeFile(path, content.subarray(0, content.length - 100));
    expect((await failure(verify(path))).code).toBe('E_WEIGHTS_TRUNCATED');
    expect(await failure(verify(path, { sha256: sha256(content), bytes: content.length }))).toMatchObject({
      code: 'E_WEIGHTS_TRUNCATED',
      message: expect.stringMatching(/model\.json says/),
    });
  });

  it('another file than model.json or the first download promises', async () => {
    const path = await write('clip.safetensors');
    const sum = sha256(await readFile(path));
    expect((await verify(path, { sha256: sum })).promisedBy).toEqual(['model.json']);
    expect((await failure(verify(path, { sha256: 'a'.repeat(64) }))).code).toBe('E_WEIGHTS_HASH');
    await writeFile(recordOf(path), `${sum}  clip.safetensors\n`);
    expect((await verify(path)).promisedBy).toEqual([recordOf(path)]);
    await writeFile(recordOf(path), `${'b'.repeat(64)}  clip.safetensors\n`);
    expect((await failure(verify(path))).message).toContain(`${recordOf(path)} says ${'b'.repeat(64)}`);
  });

  it('every file of a model, with its promises', async () => {
    const { files, model } = await findTarget('crane-mini', publicTable, {});
    expect(model?.folder).toBe(join(embeddedModels, 'crane-mini'));
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const file of files)
      expect((await verifyFile(file, addon, publicTable)).promisedBy).toEqual(['model.json']);
  });
});

describe.skipIf(!addon)('convert', () => {
  const request = (more = {}) => ({
    inputs: [at('clip.safetensors')],
    out: at('out.safetensors'),
    dtype: 'f16' as const,
    overwrite: false,
    ...more,
  });

  it('writes the canonical names with where they came from', async () => {
    const source = await write('clip.safetensors');
    const made = await convert(request(), addon);
    expect(made.sha256).toBe(sha256(await readFile(at('out.safetensors'))));
    const info = await addon.inspectWeights(at('out.safetensors'));
    expect(info.naming).toBe('canonical');
    expect(info.metadata['converted-from']).toBe(`clip.safetensors sha256:${sha256(await readFile(source))}`);
    const before = await addon.readTensor(source, 'visual.proj');
    const after = await addon.readTensor(at('out.safetensors'), 'visual.proj');
    expect(after.data).toEqual(before.data);
  });

  it('P2: keeps what prompts were learned on', async () => {
    const learned = { learnedOn: '["parts"]', learnedPictures: '0123456789ab' };
    const names = ['ctx_pos', 'ctx_neg'].map((name) => ({
      name,
      shape: [1, 1, 12, 64],
      base: 0,
      exponent: 5,
      salt: 'x',
      dtype: 'f32' as const,
    }));
    await addon.synthWeights(at('prompts.safetensors'), names, learned);
    await convert(request({ inputs: [at('prompts.safetensors')] }), addon);
    expect((await addon.inspectWeights(at('out.safetensors'))).metadata).toMatchObject(learned);
  });

  it('gives the same bytes each time', async () => {
    await write('clip.safetensors');
    const one = await convert(request(), addon);
    const two = await convert(request({ out: at('again', 'out.safetensors') }), addon);
    expect(two.sha256).toBe(one.sha256);
  });

  it('never overwrites unless told to, and then whole', async () => {
    await write('clip.safetensors');
    await writeFile(at('out.safetensors'), 'precious');
    const idle = { ...addon, convertWeights: () => expect.unreachable('it need not even begin') };
    expect((await failure(convert(request(), { ...idle, inspectWeights: addon.inspectWeights }))).code).toBe(
      'E_EXISTS',
    );
    expect(await readFile(at('out.safetensors'), 'utf8')).toBe('precious');
    const left = await leave(at('out.safetensors'));
    await convert(request({ overwrite: true }), addon);
    expect(await isThere(left)).toBe(false);
    expect((await addon.inspectWeights(at('out.safetensors'))).naming).toBe('canonical');
  });

  it('may replace its own input', async () => {
    await write('clip.safetensors');
    await convert(request({ out: at('clip.safetensors'), overwrite: true }), addon);
    expect((await addon.inspectWeights(at('clip.safetensors'))).naming).toBe('canonical');
  });

  it('leaves nothing behind when it fails', async () => {
    const huge = dinov2Tensors({ width: 64, layers: 1, patch: 14, grid: 2, registers: 1 }, 'test').map(
      (tensor) =>
        tensor.name === 'norm.bias' ? { ...tensor, exponent: -18, dtype: 'f32' as const } : tensor,
    );
    await write('dino.safetensors', huge);
    const error = await failure(convert(request({ inputs: [at('dino.safetensors')] }), addon));
    expect(error.code).toBe('E_WEIGHTS_NONFINITE');
    expect(error.message).toMatch(/norm\.bias.*f16/);
    expect(await readdir(folder)).toEqual(['dino.safetensors']);
  });

  it.each([
    ['no such input', { inputs: ['nothing.pt'] }, 'E_WEIGHTS_NOT_FOUND'],
    ['another ending', { out: 'out.pt' }, 'E_USAGE'],
  ])('%s', async (_what, more, code) => {
    await write('clip.safetensors');
    expect((await failure(convert(request(more), addon))).code).toBe(code);
  });

  it('a folder of the name is left alone, also with overwrite', async () => {
    await write('clip.safetensors');
    await mkdir(at('out.safetensors', 'mine'), { recursive: true });
    expect((await failure(convert(request({ overwrite: true }), addon))).code).toBe('E_EXISTS');
    expect(await readdir(at('out.safetensors'))).toEqual(['mine']);
  });

  it('a dangling link of the name is not followed', async () => {
    await write('clip.safetensors');
    await symlink(at('elsewhere'), at('out.safetensors'));
    expect((await failure(convert(request(), addon))).code).toBe('E_EXISTS');
    expect(await readdir(folder)).toEqual(['clip.safetensors', 'out.safetensors']);
  });
});
