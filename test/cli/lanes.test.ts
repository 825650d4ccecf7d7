/** `--parallel pictures`: each thread has pictures of its own, and no bit of a score or map is another. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, type EngineOptions, loadEngine, type PictureScore } from '../../dist/index.js';
import { craneNative, root } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';
import { makeToyBackbone } from './toy-backbone.js';

let scratch: string;
let tiny: string;
let toy: string;
let pictures: string[];
const at = (...parts: string[]) => join(scratch, ...parts);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane lanes-'));
  tiny = await makeTinyModel(at('tiny'));
  toy = await makeToyBackbone(at('toy'));
  const data = await makeNoiseSet(at('noise'), 24);
  const common = ['train', data, '--model', toy, '--size', '56', '--features', '4,6,9', '--epochs', '1'];
  for (const [method, more] of [
    ['vand', []],
    ['anomalyclip', ['--e-attn-layers', '6', '--deep-blocks', '3']],
    ['adaclip', []],
  ] as const) {
    const kept = ['--out', at(method), '--cache', at('cache'), '--keep-as', `toy-${method}`];
    expect(await craneNative([...common, '--method', method, ...more, ...kept])).toMatchObject({ code: 0 });
  }
  const folder = join(data, 'part', 'test');
  pictures = [];
  for (const kind of ['good', 'square'])
    for (const name of (await readdir(join(folder, kind))).sort()) pictures.push(join(folder, kind, name));
}, 240_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function withEngine<T>(options: EngineOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await loadEngine({ startCache: false, threads: 2, ...options });
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

const bitsOf = ({ score, map }: PictureScore) => [score, Buffer.from(map!.data.buffer).toString('base64')];

async function bits(engine: Engine, options: object = {}, inputs = pictures): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const each of engine.scoreMany(inputs, { map: true, ...options })) {
    if ('error' in each) throw new Error(`${each.input}: ${each.error.message}`);
    found.push(bitsOf(each));
  }
  return found;
}

describe('pictures in parallel', () => {
  const cases: [string, () => EngineOptions, object][] = [
    ['crane', () => ({ model: tiny }), {}],
    ['crane, tiled', () => ({ model: tiny }), { fit: 'tile' }],
    ['crane, three in a pass', () => ({ model: tiny }), { batch: 3 }],
    ['crane-mini', () => ({ size: 112 }), {}],
    ['crane+', () => ({ model: toy, size: 112, dAttn: true, eAttnLayers: 6 }), {}],
    ['winclip', () => ({ model: toy, size: 56, method: 'winclip', className: 'nut' }), {}],
    [
      'anovl, which learns at each picture',
      () => ({ model: toy, size: 56, method: 'anovl', className: 'nut' }),
      {},
    ],
    ...['vand', 'anomalyclip', 'adaclip'].map((method): [string, () => EngineOptions, object] => [
      method,
      () => ({
        model: toy,
        size: 56,
        method,
        prompts: `toy-${method}`,
        features: [4, 6, 9],
        ...(method === 'anomalyclip' ? { eAttnLayers: 6 } : { className: 'part' }),
      }),
      {},
    ]),
  ];
  it.each(cases)(
    '%s',
    async (_name, options, more) => {
      const inputs = pictures.slice(0, 6);
      const parts = await withEngine(options(), (engine) => bits(engine, more, inputs));
      const lanes = await withEngine({ ...options(), parallel: 'pictures' }, (engine) =>
        bits(engine, more, inputs),
      );
      expect(lanes).toHaveLength(inputs.length);
      expect(lanes).toEqual(parts);
    },
    120_000,
  );

  it.each(['nearest', 'subspace'] as const)(
    'a bank of the kind %s',
    async (bankKind) => {
      const scored = (parallel: 'parts' | 'pictures') =>
        withEngine({ model: tiny, parallel }, async (engine) => {
          const bank = await engine.learnNormals(pictures.slice(0, 4), { bankKind });
          return bits(engine, { normals: bank });
        });
      expect(await scored('pictures')).toEqual(await scored('parts'));
    },
    120_000,
  );

  it('prompts and good pictures together', async () => {
    const scored = (parallel: 'parts' | 'pictures') =>
      withEngine({ model: tiny, parallel }, async (engine) => {
        const bank = await engine.learnNormals(pictures.slice(0, 4), { evidence: 'both' });
        return bits(engine, { normals: bank, evidence: 'both' });
      });
    expect(await scored('pictures')).toEqual(await scored('parts'));
  }, 120_000);

  it('pictures that are compared with each other', async () => {
    const scored = (parallel: 'parts' | 'pictures') =>
      withEngine({ model: tiny, parallel }, async (engine) => {
        const found: unknown[] = [];
        for await (const each of engine.scoreMutual(pictures, { map: true })) {
          if ('error' in each) throw new Error(`${each.input}: ${each.error.message}`);
          found.push(bitsOf(each));
        }
        return found;
      });
    const lanes = await scored('pictures');
    expect(lanes).toHaveLength(pictures.length);
    expect(lanes).toEqual(await scored('parts'));
  }, 120_000);

  it('lets calls, other contexts and other engines in while a stream runs', async () => {
    await withEngine({ model: tiny, parallel: 'pictures' }, (engine) =>
      withEngine({ model: tiny, parallel: 'parts' }, async (other) => {
        const stream = bits(engine, {}, [...pictures, ...pictures, ...pictures]);
        const bank = await engine.learnNormals(pictures.slice(0, 2));
        const [one, two, far] = await Promise.all([
          engine.score(pictures[0]!, { map: true }),
          other.score(pictures[0]!, { map: true }),
          engine.score(pictures[0]!, { normals: bank }),
        ]);
        expect(bitsOf(one)).toEqual(bitsOf(two));
        expect(far.score).toBeTypeOf('number');
        const found = await stream;
        expect(found).toHaveLength(3 * pictures.length);
        expect(found[0]).toEqual(bitsOf(one));
      }),
    );
  }, 120_000);

  it('ends with a code where it is cancelled, and goes on afterwards', async () => {
    await withEngine({ model: tiny, parallel: 'pictures' }, async (engine) => {
      const stop = new AbortController();
      const seen: number[] = [];
      const stream = (async () => {
        for await (const { index } of engine.scoreMany(pictures, { signal: stop.signal }))
          if (seen.push(index) === 3) stop.abort();
      })();
      await expect(stream).rejects.toMatchObject({ code: 'E_CANCELLED' });
      expect(seen.length).toBeLessThan(pictures.length);
      expect(await bits(engine)).toHaveLength(pictures.length);
    });
  }, 120_000);

  it('holds as much memory as pictures in work', async () => {
    const need = (parallel: 'parts' | 'pictures') =>
      withEngine({ model: tiny, parallel }, async (engine) => engine.memoryNeed);
    const [parts, lanes] = [await need('parts'), await need('pictures')];
    expect(lanes.working).toBe(2 * parts.working);
    expect(lanes.rendered).toBe(2 * parts.rendered);
  }, 120_000);

  it('a process may end at any moment of it', async () => {
    const script = `import { loadEngine } from ${JSON.stringify(join(root, 'dist', 'index.js'))};
      const engine = await loadEngine({ model: ${JSON.stringify(tiny)}, threads: 2, parallel: 'pictures', startCache: false });
      const inputs = ${JSON.stringify(pictures)};
      let seen = 0;
      for await (const _ of engine.scoreMany([...inputs, ...inputs]))
        if (++seen === Number(process.argv[1])) process.exit(7);`;
    for (const seen of [1, 2, 5, 20]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, String(seen)]);
      const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
        child.once('exit', (...how) => resolve(how)),
      );
      expect([code, signal]).toEqual([7, null]);
    }
  }, 120_000);

  it('score takes it, with the same results', async () => {
    const run = async (parallel: string, out: string) => {
      const args = ['score', at('noise'), '--recursive', '--model', tiny, '--threads', '2', '--maps', 'npy'];
      const done = await craneNative([...args, '--no-timings', '--parallel', parallel, '--out', at(out)]);
      expect(done.code).toBe(0);
      return readFile(at(out, 'results.jsonl'), 'utf8');
    };
    expect(await run('pictures', 'lanes')).toBe(await run('parts', 'parts'));
    const wrong = await craneNative(['score', pictures[0]!, '--parallel', 'both']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('parts, pictures') });
  }, 120_000);
});
