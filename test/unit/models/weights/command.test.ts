import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import yargs from 'yargs';
import type { NativeAddon, SynthTensor, WeightFileInfo } from '../../../../src/addon/native.js';
import type { Context } from '../../../../src/cli/context.js';
import { weightsCommand } from '../../../../src/cli/weights.js';
import { CraneError } from '../../../../src/errors.js';
import { backbones } from '../../../../src/models/backbones.js';
import type { ModelDescription } from '../../../../src/models/model-json.js';
import type { AddressTable } from '../../../../src/models/weights/addresses.js';
import { clipTensors } from '../../../../src/models/weights/recipe.js';
import { runInProcess } from '../../cli/run-in-process.js';
import { makeFakeAddon } from '../../engine/fake-addon.js';
import { startFileServer } from './file-server.js';
import { dinov2Info, noise, publicFile, sha256 } from './workplace.js';

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane-weights-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await rm(at('cache'), { recursive: true, force: true });
});

/** Reads nothing: what matters here is what the command line makes of it. */
const info: WeightFileInfo = {
  ...dinov2Info(768, 2),
  metadata: { origin: 'a test\u001b[31m' },
};
const addon: NativeAddon = {
  ...makeFakeAddon(),
  inspectWeights: async (path) => ({ ...info, files: [path] }),
  verifyWeights: async (path) => {
    if (path.includes('bad')) throw new CraneError('E_WEIGHTS_NONFINITE', `${path}: tensor "x" holds NaN`);
    return { ...info, files: [path] };
  },
  convertWeights: async (_inputs, output, dtype) => writeFile(output, dtype),
  synthWeights: async (output, tensors: SynthTensor[]) => writeFile(output, `${tensors.length}`),
};
const run = (...args: string[]) =>
  runInProcess(['weights', ...args], {
    env: { CRANE_CACHE: at('cache') },
    loadAddon: async () => ({ addon }),
  });

describe('help and usage', () => {
  it('lists what can be done with weights', async () => {
    const { stdout, code } = await run('--help');
    expect(code).toBe(0);
    for (const name of ['list', 'inspect', 'verify', 'convert', 'synth', 'pull'])
      expect(stdout).toMatch(new RegExp(`crane-native weights ${name}\\b`));
  });

  it.each([
    [[], 'name what to do with weights', 'one of list, inspect, verify, convert, synth, pull'],
    [['verfy', 'x.pt', '--each'], 'there is no command "weights verfy"', 'did you mean weights verify?'],
    [
      ['inspect'],
      'inspect needs a weight file or a model',
      'the names of models: npx crane-native weights list',
    ],
    [
      ['synth', 'clip'],
      'there is no synthetic "clip"',
      'one of crane, crane+, crane+dino, crane+sam, winclip, ViT-L-14-336px, ViT-B-16-plus-240, adaclip, anomalyclip, vand, toy-backbone',
    ],
    [['pull'], 'pull needs a name', 'see crane-native weights list'],
    [['pull', 'crain'], 'nothing is known under the name "crain"', 'did you mean crane?'],
  ])('%j: %s', async (args, message, hint) => {
    const { code, stderr } = await run(...args, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toEqual({ error: { code: 'E_USAGE', message, hint } });
  });

  it.runIf(process.platform === 'linux')('a device is no weight file', async () => {
    const { code, stderr } = await run('inspect', '/dev/null');
    expect([code, stderr]).toEqual([5, expect.stringContaining('/dev/null: neither a file nor a folder')]);
  });

  it.each([
    [['convert', 'a.pt'], /--out/],
    [['convert', 'a.pt', '--out', 'b.pt'], /Expected a name ending in \.safetensors/],
    [['synth', 'ViT-B-16-plus-240', '--out', 'b.pt'], /Expected a name ending in \.safetensors/],
    [['convert', 'a.pt', '--out', 'b.safetensors', '--dtype', 'f8'], /Expected one of f32, f16/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('list', () => {
  it('shows the embedded model, what can be pulled, and what is incomplete', async () => {
    await mkdir(at('cache', 'models', 'half'), { recursive: true });
    await mkdir(at('cache', 'weights'), { recursive: true });
    await writeFile(at('cache', 'weights', 'ViT-B-32.pt.part'), noise(3_000_000));
    await writeFile(at('cache', 'weights', 'dinov2_vits14_pretrain.pth'), 'x');
    const { lines, code } = await run('list', '--json');
    expect(code).toBe(0);
    const rows = Object.fromEntries(lines().map((line) => [line['name'], line]));
    expect(rows['crane-mini']).toMatchObject({ kind: 'model', state: 'complete', place: 'embedded' });
    expect(rows['crane+']).toMatchObject({ state: 'to pull', licence: 'MIT AND Apache-2.0' });
    expect(rows['half']).toMatchObject({ state: 'incomplete', missing: 'model.json is missing' });
    expect(rows['ViT-B-32']).toMatchObject({
      state: 'incomplete',
      missing: '3 MB of about 354 MB have come',
    });
    expect(rows['dinov2_vits14']).toMatchObject({ state: 'complete', bytes: 1 });
  });

  it('fits people: a table on stdout, the next step on stderr', async () => {
    const { stdout, stderr } = await run('list');
    expect(stdout).toMatch(/^models\ncrane-mini +complete +\d+ MB +Apache-2\.0 AND MIT +\//);
    expect(stdout).toMatch(/ViT-L-14-336px +to pull +~934 MB +MIT +OpenAI's CLIP ViT-L\/14@336/);
    expect(stderr).toMatch(/weights pull NAME/);
  });

  it('a file of the wrong size makes a model incomplete', async () => {
    await run('synth', 'crane');
    await writeFile(at('cache', 'models', 'synth-crane', 'clip.safetensors'), 'much longer than before');
    const row = (await run('list', '--json')).lines().find(({ name }) => name === 'synth-crane');
    expect(row).toMatchObject({
      state: 'incomplete',
      missing: 'clip.safetensors has 23 of 3 bytes',
      where: at('cache', 'models', 'synth-crane'),
    });
  });
});

describe('inspect', () => {
  it('shows sizes and one row for the blocks, and no control characters of the file', async () => {
    await writeFile(at('some.pth'), '');
    const { stdout } = await run('inspect', at('some.pth'));
    expect(stdout).toMatch(/naming +dinov2/);
    expect(stdout).toMatch(/width 768, 2 layers, 12 heads, patch 14, positions 37x37, MLP 3072, 4 registers/);
    expect(stdout).toMatch(/blocks\.#\.mlp\.fc1\.weight +f32 +\[3072, 768\] +x 2/);
    expect(stdout).not.toContain('\u001b');
    expect((await run('inspect', at('some.pth'), '--each')).stdout).toMatch(/blocks\.1\.mlp\.fc1\.weight/);
  });

  it('shows what a model makes instead of storing it, to people only', async () => {
    const { stdout } = await run('inspect', 'crane-mini');
    expect(stdout).toMatch(
      /^recipe crane-mini\/text, made when the model is loaded\n {2}values {2}7\.3 million in 54/m,
    );
    expect(stdout).toMatch(/text\.token_ids +\[7\] +as listed\n/);
    expect(stdout).toMatch(/text\.blocks\.#\.qkv\.weight +\[1152, 384\] +\u00b1 2\^-4 +x 4\n/);
    expect(stdout).toMatch(/text\.blocks\.#\.ln2\.weight +\[384\] +all 1 +x 4\n/);
    expect((await run('inspect', 'crane-mini', '--json')).stdout).not.toMatch(/recipe/);
  });

  it('takes a model by its name', async () => {
    const files = (await run('inspect', 'crane-mini', '--json')).lines().map(({ file }) => String(file));
    expect(files.map((file) => file.split('/').at(-1))).toContain('prompts.safetensors');
    expect(files.length).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['nothing.pt', 4, /nothing\.pt: there is no such file \[E_WEIGHTS_NOT_FOUND\]/],
    ['crane', 4, /crane: is not on this machine[\s\S]*weights pull crane\n/],
    ['ViT-B-32', 4, /ViT-B-32: is not on this machine[\s\S]*weights pull ViT-B-32\n/],
    ['nosuch', 4, /no model is called "nosuch"/],
    [import.meta.dirname, 4, /model\.json: there is no such file/],
  ])('%s: exit %i', async (name, exit, message) => {
    const { code, stderr } = await run('inspect', name);
    expect(code).toBe(exit);
    expect(stderr).toMatch(message);
  });
});

it('C17: what is under a prefix, and what lies beside it, is said', async () => {
  await writeFile(at('wrapped.pth'), 'wrapped');
  const wrapped = { ...info, prefix: 'state_dict.module.', beside: 12, files: ['a-1.pt', 'a-2.pt'] };
  const loadAddon = async () => ({ addon: { ...addon, inspectWeights: async () => wrapped } });
  const { stdout } = await runInProcess(['weights', 'inspect', at('wrapped.pth')], { loadAddon });
  expect(stdout).toMatch(/prefix +state_dict\.module\. \(12 tensors beside it are no part of the model\)/);
  expect(stdout).toMatch(/files +a-1\.pt, a-2\.pt/);
  await mkdir(at('parts'));
  await writeFile(at('parts', 'm.safetensors.index.json'), '{}');
  expect((await run('inspect', at('parts'))).code).toBe(0);
});

describe('verify', () => {
  it('checks all files, tells each fault and ends with 4', async () => {
    for (const name of ['a.pth', 'bad.pth', 'c.pth']) await writeFile(at(name), name);
    const { code, stdout, stderr } = await run('verify', at('a.pth'), at('bad.pth'), at('c.pth'));
    expect(code).toBe(4);
    expect(stdout.match(/^(ok |bad) /gm)).toEqual(['ok  ', 'bad ', 'ok  '].map((text) => text.slice(0, 4)));
    expect(stdout).toMatch(/tensor "x" holds NaN \[E_WEIGHTS_NONFINITE\]/);
    expect(stderr).toMatch(/1 of 3 files are faulty/);
  });

  it('as JSON: a line for each file', async () => {
    for (const name of ['a.pth', 'bad.pth']) await writeFile(at(name), name);
    const lines = (await run('verify', at('a.pth'), at('bad.pth'), '--json')).lines();
    expect(lines.map(({ ok }) => ok)).toEqual([true, false]);
    expect(lines[0]).toMatchObject({ sha256: sha256('a.pth'), naming: 'dinov2', tensors: 5 });
    expect(lines[1]).toMatchObject({ error: { code: 'E_WEIGHTS_NONFINITE' } });
  });
});

describe('convert and synth', () => {
  it('convert prints the file, and what is in it on stderr', async () => {
    await writeFile(at('a.pth'), 'a');
    const out = at('made', 'b.safetensors');
    const { stdout, stderr, code } = await run('convert', at('a.pth'), '--out', out, '--dtype', 'f16');
    expect([code, stdout]).toEqual([0, `${out}\n`]);
    expect(stderr).toContain(sha256('f16'));
    expect((await run('convert', at('a.pth'), '--out', out)).code).toBe(2);
    expect((await run('convert', at('a.pth'), '--out', out, '--force')).code).toBe(0);
    expect(await readFile(out, 'utf8')).toBe('f32');
  });

  it('synth makes a model folder that --model finds, and replaces it only with --force', async () => {
    const made = at('cache', 'models', 'synth-crane+');
    const { stdout, stderr } = await run('synth', 'crane+');
    expect(stdout).toBe(`${made}\n`);
    expect(stderr).toMatch(/--model synth-crane\+/);
    const first = await stat(join(made, 'model.json'));
    const again = await run('synth', 'crane+');
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/E_EXISTS/);
    expect((await run('synth', 'crane+', '--force')).code).toBe(0);
    expect((await stat(join(made, 'model.json'))).ino).not.toBe(first.ino);
  });

  it.each([
    ['crane+dino', 'dino.safetensors', 1.2],
    ['crane+sam', 'sam.safetensors', 1.08],
  ])('synth %s has that source, run as the published one', async (kind, file, beta) => {
    expect((await run('synth', kind)).code).toBe(0);
    const text = await readFile(at('cache', 'models', `synth-${kind}`, 'model.json'), 'utf8');
    const { source, method } = JSON.parse(text) as ModelDescription;
    expect(source!.weights.file).toBe(file);
    expect(source!.tower.positionInterpolation).toEqual({ kind: 'bicubic', offset: 0.1 });
    expect(method).toMatchObject({ dAttn: true, dAttnBeta: beta });
  });

  it('synth makes a compared system that learns nothing, run as it was published', async () => {
    expect((await run('synth', 'winclip')).stdout).toBe(`${at('cache', 'models', 'synth-winclip')}\n`);
    const text = await readFile(at('cache', 'models', 'synth-winclip', 'model.json'), 'utf8');
    const { method, vision, input } = JSON.parse(text) as ModelDescription;
    expect(method).toMatchObject({ name: 'winclip', windowSides: [2, 3] });
    expect(vision.activation).toBe('gelu');
    expect(input).toEqual({ width: 240, height: 240 });
  });

  // 4 heads; 2 texts and 8 deep sets; 8 prompts, 5 heads and 10 generators with bias
  it.each([
    ['vand', 8],
    ['anomalyclip', 10],
    ['adaclip', 38],
  ])('synth %s makes what it learns, as one file', async (kind, tensors) => {
    const made = at('cache', 'weights', `synth-${kind}.safetensors`);
    expect(await run('synth', kind)).toMatchObject({ code: 0, stdout: `${made}\n` });
    expect(await readFile(made, 'utf8')).toBe(String(tensors));
    expect((await run('synth', kind)).stderr).toMatch(/E_EXISTS/);
  });

  it("synth makes a backbone's weights as one file", async () => {
    const made = at('cache', 'weights', 'synth-ViT-B-16-plus-240.safetensors');
    const { stdout, code } = await run('synth', 'ViT-B-16-plus-240');
    expect([code, stdout]).toEqual([0, `${made}\n`]);
    const tensors = await readFile(made, 'utf8');
    expect(tensors).toBe(String(clipTensors(backbones['ViT-B-16-plus-240'].sizes, '').length));
    expect((await run('synth', 'ViT-B-16-plus-240')).stderr).toMatch(/E_EXISTS/);
    expect((await run('synth', 'ViT-B-16-plus-240', '--force')).code).toBe(0);
    const own = at('own', 'b.safetensors');
    expect((await run('synth', 'ViT-B-16-plus-240', '--out', own, '--json')).lines()).toMatchObject([
      { file: own, bytes: tensors.length },
    ]);
  });

  it('synth never deletes a folder of something else', async () => {
    await mkdir(at('pictures'));
    await writeFile(at('pictures', 'holiday.jpg'), 'precious');
    const { code, stderr } = await run('synth', 'crane', '--out', at('pictures'), '--force');
    expect(code).toBe(2);
    expect(stderr).toMatch(/is not a model folder/);
    expect(await readFile(at('pictures', 'holiday.jpg'), 'utf8')).toBe('precious');
  });
});

describe('pull', () => {
  const content = noise(1000);
  async function pull(table: AddressTable, ...args: string[]) {
    const written = { stdout: '', stderr: '' };
    const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
    const context = {
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      env: { CRANE_CACHE: at('cache') },
      isTerminal: { stdout: false, stderr: false, columns: 100 },
      loadAddon: async () => ({ addon }),
      stop: new AbortController().signal,
    } as unknown as Context;
    await yargs(['weights', 'pull', ...args])
      .command(weightsCommand(context, table))
      .exitProcess(false)
      .fail((_message, error) => {
        throw error;
      })
      .parseAsync();
    return written;
  }

  it('fetches a file, says from where and under which licence, and prints its path', async () => {
    const server = await startFileServer(content, at('cache'));
    const table = { files: [publicFile(server.url, { sha256: sha256(content) })], models: [] };
    const { stdout, stderr } = await pull(table, 'thing');
    expect(stdout).toBe(`${at('cache', 'weights', 'thing.bin')}\n`);
    expect(stderr).toContain(`thing: ${server.url} (about 1 MB, licence MIT)`);
    expect(stderr).toMatch(/thing: fetched, 1 kB/);
    expect((await pull(table, 'thing')).stderr).toMatch(/thing: was there/);
    await server.close();
  });

  it('takes several --from', async () => {
    await writeFile(at('one.bin'), 'one');
    await writeFile(at('two.bin'), 'two');
    const file = (name: string, facts = {}) =>
      publicFile('http://127.0.0.1:1/', { name, file: `${name}.bin`, sha256: sha256(name), ...facts });
    const table: AddressTable = {
      files: [file('one'), file('two', { learnedOn: ['x'] })],
      models: [
        { name: 'crane', kind: 'crane', what: 'Crane', weights: 'one', prompts: [{ set: 'x', file: 'two' }] },
      ],
    };
    const { stdout } = await pull(table, 'crane', '--from', at('one.bin'), '--from', at('two.bin'), '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'crane',
      kind: 'model',
      path: at('cache', 'models', 'crane'),
    });
  });
});
