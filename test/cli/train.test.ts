import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../dist/addon/load-addon.js';
import type { Engine } from '../../dist/index.js';
import { craneNative, type Finished, lines, root, run, timesSlower } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';
import { allowedGlobals, expectLoaded, globalsOf, hasPython, torchPython } from './torch-file.js';

let scratch: string;
let model: string;
let data: string;
const at = (...parts: string[]) => join(scratch, ...parts);
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane lernt-ä-'));
  model = await makeTinyModel(at('model'));
  data = await makeNoiseSet(at('noise'), 6);
}, 60_000 * timesSlower);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const argsOf = (out: string, more: string[] = []) => [
  ...['train', data, '--model', model, '--out', at(out), '--cache', at('cache'), '--threads', '1'],
  ...['--batch-size', '2', '--epochs', '3', ...more],
];
const train = (out: string, ...more: string[]): Promise<Finished> => craneNative(argsOf(out, more));
async function bytesOf(out: string): Promise<Record<string, string>> {
  const names = (await readdir(at(out))).filter((name) => /\.(pth|safetensors)$/.test(name)).sort();
  const files = await Promise.all(names.map(async (name) => [name, await readFile(at(out, name), 'hex')]));
  return Object.fromEntries(files) as Record<string, string>;
}

describe('train', () => {
  it(
    'the same seed gives the same bytes in every process, from a cold cache and a warm one',
    async () => {
      const [cold, warm, other] = [
        await train('cold', '--cache', at('cold cache')),
        await train('warm', '--cache', at('cold cache')),
        await train('other', '--cache', at('another cache')),
      ];
      for (const { code, stderr } of [cold, warm, other]) expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(cold.stderr).toContain('computing the features of 6 pictures');
      expect(warm.stderr).not.toContain('computing');
      const expected = await bytesOf('cold');
      expect(Object.keys(expected)).toHaveLength(5);
      for (const out of ['warm', 'other']) expect(await bytesOf(out)).toEqual(expected);
    },
    60_000 * timesSlower,
  );

  it.each([
    ['crane', ['--features', '99']],
    ['anomalyclip', ['--method', 'anomalyclip', '--e-attn-layers', '99']],
  ])(
    'settings of %s that do not fit the towers leave no folder, and no training that was there is lost',
    async (_, settings) => {
      const refused = await train('refused', ...settings);
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('[E_MODEL_CONFIG]');
      await expect(readdir(at('refused'))).rejects.toMatchObject({ code: 'ENOENT' });
      await mkdir(at('kept'));
      await writeFile(at('kept', 'run.json'), '{"status":"complete"}');
      expect((await train('kept', '--force', ...settings)).code).toBe(4);
      expect(await readdir(at('kept'))).toEqual(['run.json']);
      await rm(at('kept'), { recursive: true });
    },
  );

  it(
    'lowers its loss, and its prompts score',
    async () => {
      await train('lowered', '--epochs', '6');
      const record = JSON.parse(await readFile(at('lowered', 'run.json'), 'utf8'));
      expect(record.status).toBe('complete');
      expect(record.losses.total).toBeLessThan(0.9 * record.epochs[0].losses.total);
      for (const file of ['prompts.safetensors', 'epoch_6.pth']) {
        const picture = join(data, 'part', 'test', 'square', '1.png');
        const scored = await craneNative([
          'score',
          picture,
          '--model',
          model,
          '--prompts',
          at('lowered', file),
        ]);
        const [line] = lines(scored);
        expect(line!['score']).toBeGreaterThanOrEqual(0);
      }
      const both = ['prompts.safetensors', 'epoch_6.pth'].map((file) => at('lowered', file));
      const { addon } = await loadAddon();
      const [ours, authors] = await Promise.all(
        both.map((path) =>
          addon.readTensor(path, 'ctx_neg').catch(() => addon.readTensor(path, 'prompt_learner.ctx_neg')),
        ),
      );
      expect(authors!.data).toEqual(ours!.data);
    },
    60_000 * timesSlower,
  );

  it(
    'writes checkpoints whose pickle names nothing but tensors',
    async () => {
      expect(await train('loaded', '--epochs', '1')).toMatchObject({ code: 0 });
      const checkpoint = at('loaded', 'epoch_1.pth');
      const globals = await globalsOf(checkpoint);
      expect([...globals].filter((each) => !allowedGlobals.includes(each))).toEqual([]);
    },
    120_000 * timesSlower,
  );

  it.skipIf(!hasPython)('writes checkpoints that what weights_only allows can read', async () => {
    const file = at('loaded', 'epoch_1.pth');
    await expectLoaded('python', file, at('loaded', 'prompts.safetensors'), 'prompt_learner');
  });

  it.skipIf(!torchPython)(
    'writes checkpoints that torch.load(weights_only=True) reads',
    async () => {
      const file = at('loaded', 'epoch_1.pth');
      await expectLoaded('torch', file, at('loaded', 'prompts.safetensors'), 'prompt_learner');
    },
    120_000 * timesSlower,
  );

  it(
    "takes the authors' order where that is wanted",
    async () => {
      const run = await train('reference', '--order', 'reference', '--seed', '5', '--epochs', '1');
      expect(run.code).toBe(0);
      const { addon } = await loadAddon();
      const { data: order } = await addon.readTensor(at('reference', 'state.safetensors'), 'extra.order');
      expect(order).toEqual(await addon.referenceOrder(5, 6, 0));
    },
    60_000 * timesSlower,
  );

  it(
    'stops at Ctrl-C with 130, and goes on to the same bytes',
    async () => {
      const more = ['--epochs', '40'];
      await train('uninterrupted', ...more);
      const { code, stderr } = await interrupted(argsOf('interrupted', more), /epoch 3\/40/);
      expect({ code, stderr }).toMatchObject({ code: 130 });
      expect(stderr).toContain('the same command with --resume goes on');
      expect(JSON.parse(await readFile(at('interrupted', 'run.json'), 'utf8')).status).toBe('interrupted');
      expect((await train('interrupted', ...more, '--resume')).code).toBe(0);
      expect(await bytesOf('interrupted')).toEqual(await bytesOf('uninterrupted'));
    },
    120_000 * timesSlower,
  );

  it(
    'two at once share a cache, and both end in the same bytes',
    async () => {
      const both = ['one', 'two'].map((out) => train(out, '--cache', at('shared cache')));
      for (const { code, stderr } of await Promise.all(both))
        expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(await bytesOf('one')).toEqual(await bytesOf('two'));
      const [key] = (await readdir(at('shared cache'))).filter((name) => /^[0-9a-f]{32}$/.test(name));
      const names = await readdir(at('shared cache', key!));
      expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
      expect(names.filter((name) => name.endsWith('.safetensors'))).toHaveLength(6);
    },
    60_000 * timesSlower,
  );

  it(
    'computes a damaged feature file again, and says so',
    async () => {
      const cache = at('bitten cache');
      await train('sound', '--cache', cache);
      const [key] = (await readdir(cache)).filter((name) => /^[0-9a-f]{32}$/.test(name));
      const names = (await readdir(join(cache, key!))).filter((name) => name.endsWith('.safetensors'));
      for (const [place, name] of names.slice(0, 3).entries()) {
        const path = join(cache, key!, name);
        const bytes = await readFile(path);
        const last = bytes.length - 1;
        const damaged =
          place === 0 ? bytes.subarray(0, 900) : place === 1 ? Buffer.alloc(0) : Buffer.from(bytes);
        if (place === 2) damaged[last] = damaged[last]! ^ 1;
        await writeFile(path, damaged);
      }
      const again = await train('again', '--cache', cache);
      expect(again.code).toBe(0);
      expect(again.stderr.match(/its features in the cache were damaged/g)).toHaveLength(3);
      expect(await bytesOf('again')).toEqual(await bytesOf('sound'));
    },
    60_000 * timesSlower,
  );
});

describe('what goes wrong', () => {
  it(
    'a disk that is full: E_IO_WRITE at whatever file, and nothing is lost',
    async () => {
      const more = ['--size', '112', '--cache-precision', 'f32', '--save-every', '1'];
      await train('roomy', ...more);
      const expected = await bytesOf('roomy');
      const met = new Set<string>();
      // Kilobytes that one file may have: the cache's key.json has 2, the record 6, features 17, the state 25, a checkpoint
      // 44.
      for (const kilobytes of [1, 2, 10, 20, 30, 42]) {
        const out = `full ${kilobytes}`;
        const cache = at(`full cache ${kilobytes}`);
        const words = [...argsOf(out, [...more, '--cache', cache, '--json'])]
          .map((arg) => `'${arg}'`)
          .join(' ');
        const main = join(root, 'dist', 'cli', 'main.js');
        const command = `ulimit -f ${kilobytes}; exec '${process.execPath}' '${main}' ${words}`;
        const full = await run('bash', ['-c', command]);
        expect({ code: full.code, signal: full.signal, kilobytes }).toEqual({
          code: 5,
          signal: null,
          kilobytes,
        });
        const { error } = JSON.parse(full.stderr.trimEnd().split('\n').at(-1)!);
        expect(error.code).toBe('E_IO_WRITE');
        expect(error.hint).toContain('ulimit -f');
        const file = String(error.message).split(':')[0]!;
        met.add(file.replace(/^.*\//, '').replace(/[0-9a-f]{64}/, 'features'));
        expect((await train(out, ...more, '--cache', cache, '--resume')).code).toBe(0);
        expect(await bytesOf(out), `${kilobytes} KB`).toEqual(expected);
      }
      expect([...met].sort()).toEqual([
        'epoch_1.pth',
        'features.safetensors',
        'key.json',
        'run.json',
        'state.safetensors',
      ]);
    },
    120_000 * timesSlower,
  );

  it(
    'a loss that is no number: E_TRAIN_DIVERGED, and nothing is written but the record of it',
    async () => {
      const diverged = await train('diverged', '--focal-weight', '1e39', '--json');
      const { error } = JSON.parse(diverged.stderr.trimEnd().split('\n').at(-1)!);
      expect(error).toMatchObject({
        code: 'E_TRAIN_DIVERGED',
        hint: expect.stringContaining('--learning-rate'),
      });
      expect(await readdir(at('diverged'))).toEqual(['report.html', 'run.json']);
      expect(JSON.parse(await readFile(at('diverged', 'run.json'), 'utf8'))).toMatchObject({
        status: 'failed',
      });
    },
    60_000 * timesSlower,
  );

  it.each([
    ['compat.batchMean', ['--compat.batch-mean'], 'E_MODEL_CONFIG'],
    ['too many deep blocks', ['--deep-blocks', '9'], 'E_PROMPTS'],
    ['more deep tokens than learned rows', ['--deep-tokens', '13'], 'E_PROMPTS'],
    ['a start that is no prompt file', ['--start', 'package.json'], 'E_WEIGHTS_CONTAINER'],
  ])(
    '%s',
    async (name, more, code) => {
      const refused = await train(`refused ${name}`, '--json', ...more);
      expect(JSON.parse(refused.stderr.trimEnd().split('\n').at(-1)!).error.code).toBe(code);
    },
    30_000 * timesSlower,
  );
});

describe('createTrainer', () => {
  let engine: Engine;
  let library: typeof import('../../dist/index.js');
  beforeAll(async () => {
    library = await import('../../dist/index.js');
    engine = await library.loadEngine({ model, threads: 1 });
  }, 30_000 * timesSlower);
  afterAll(() => engine.dispose());

  it(
    'gives the bytes of the command, while the engine scores for others',
    async () => {
      await train('command');
      const options = { engine, data, out: at('library'), cache: at('cache'), batchSize: 2, epochs: 3 };
      const trainer = await library.createTrainer(options);
      const scores: number[] = [];
      const picture = join(data, 'part', 'test', 'good', '0.png');
      for await (const progress of trainer.run())
        if (progress.stage === 'step') scores.push((await engine.score(picture)).score);
      await trainer.dispose();
      expect(new Set(scores).size).toBe(1);
      expect(await bytesOf('library')).toEqual(await bytesOf('command'));
    },
    60_000 * timesSlower,
  );
});

it(
  'an engine that is disposed under a run ends it with E_DISPOSED; what was saved can be gone on with',
  async () => {
    const library = await import('../../dist/index.js');
    await train('undisturbed', '--save-every', '1');
    const engine = await library.loadEngine({ model, threads: 1 });
    const options = { data, out: at('disposed'), cache: at('cache'), batchSize: 2, epochs: 3, saveEvery: 1 };
    const trainer = await library.createTrainer({ engine, ...options });
    let disposed: Promise<void> | undefined;
    const run = trainer.run({
      onProgress: (progress) => {
        if (progress.stage === 'step' && progress.done === 8) disposed = engine.dispose();
      },
    });
    await expect(Promise.resolve(run)).rejects.toMatchObject({ code: 'E_DISPOSED' });
    await disposed;
    await using again = await library.loadEngine({ model, threads: 1 });
    await (await library.createTrainer({ engine: again, ...options, resume: true })).run();
    expect(await bytesOf('disposed')).toEqual(await bytesOf('undisturbed'));
  },
  60_000 * timesSlower,
);

/** Sends SIGINT when stderr shows what is waited for. */
function interrupted(args: string[], shows: RegExp): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    let isSent = false;
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      if (isSent || !shows.test(stderr)) return;
      isSent = true;
      child.kill('SIGINT');
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr }));
  });
}
