/**
 * What the compared systems do with what they cannot use: another system's checkpoint, no class name, a context of another
 * length, pictures of one colour. By the program and by the library, on the toy backbone.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, LoadEngineOptions } from '../../dist/index.js';
import { rangesOf } from '../../dist/methods/registry.js';
import { craneNative, lines } from './crane-native.js';
import { makeNoiseSet } from './tiny-model.js';
import { makeToyBackbone } from './toy-backbone.js';

const k_side = 56;
const systems = {
  winclip: { flags: [], options: {}, namesClass: true, learns: false },
  anovl: { flags: [], options: {}, namesClass: true, learns: false },
  vand: {
    flags: ['--features', '3,6'],
    options: { features: [3, 6] },
    namesClass: true,
    learns: true,
  },
  anomalyclip: {
    flags: ['--e-attn-layers', '6', '--features', '3,6'],
    options: { eAttnLayers: 6, features: [3, 6] },
    namesClass: false,
    learns: true,
  },
  adaclip: {
    flags: ['--features', '3,6'],
    options: { features: [3, 6] },
    namesClass: true,
    learns: true,
  },
} as const;
type System = keyof typeof systems;
const names = Object.keys(systems) as System[];
const learning = names.filter((name) => systems[name].learns);
const colours = { black: 0, grey: 128, white: 255 } as const;

let scratch: string;
let model: string;
let picture: string;
const at = (...parts: string[]) => join(scratch, ...parts);
const learned = (name: System) => at(name, 'epoch_1.pth');

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane bad methods-'));
  model = await makeToyBackbone(at('model'));
  const data = await makeNoiseSet(at('noise'), 2);
  picture = at('noise', 'part', 'test', 'square', '1.png');
  for (const [colour, value] of Object.entries(colours)) {
    const background = { r: value, g: value, b: value };
    await sharp({ create: { width: 64, height: 64, channels: 3, background } })
      .png()
      .toFile(at(`${colour}.png`));
  }
  for (const name of learning) {
    const few = name === 'anomalyclip' ? ['--deep-blocks', '3'] : [];
    const finished = await craneNative([
      ...['train', data, '--model', model, '--method', name, '--size', `${k_side}`],
      ...[...systems[name].flags, ...few, '--epochs', '1', '--out', at(name), '--cache', at('cache')],
    ]);
    expect(finished).toMatchObject({ code: 0 });
  }
}, 600_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** `score` of the program; prompts: undefined is none. */
function score(name: System, pictures: string[], prompts: string | undefined, ...more: string[]) {
  return craneNative([
    ...['score', ...pictures, '--model', model, '--method', name, '--size', `${k_side}`, '--format', 'jsonl'],
    ...[...systems[name].flags, ...(prompts === undefined ? [] : ['--prompts', prompts]), ...more],
  ]);
}

async function withEngine<T>(
  name: System,
  own: LoadEngineOptions,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { loadEngine } = await import('../../dist/index.js');
  const size = { width: k_side, height: k_side };
  const engine = await loadEngine({
    model,
    method: name,
    size,
    threads: 2,
    ...systems[name].options,
    ...own,
  } as LoadEngineOptions);
  try {
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}

/** The code that the library refuses it with, when it is loaded or when it scores. */
function codeOf(name: System, own: LoadEngineOptions): Promise<string> {
  return withEngine(name, own, (engine) => engine.score(picture)).then(
    () => 'scored',
    (error: { code: string }) => error.code,
  );
}

const named = (name: System) => (systems[name].namesClass ? ['--class-name', 'part'] : []);
const className = (name: System) => (systems[name].namesClass ? { className: 'part' } : {});
const prompts = (name: System) => (systems[name].learns ? { prompts: learned(name) } : {});

describe.each(names)('%s', (name) => {
  const { learns, namesClass } = systems[name];
  const own = () => (learns ? learned(name) : undefined);

  it("refuses another system's checkpoint", async () => {
    const others = learning.filter((owner) => owner !== name);
    const refused = await score(name, [picture], learned(others[0]!), ...named(name));
    expect(refused).toMatchObject({ code: learns ? 4 : 2, stdout: '' });
    expect(refused.stderr).toMatch(
      learns ? /epoch_1\.pth.*\[E_(WEIGHTS|PROMPTS)/s : /takes no prompts.*E_USAGE/s,
    );
    for (const owner of others) {
      const code = await codeOf(name, { ...className(name), prompts: learned(owner) });
      expect(code, owner).toMatch(learns ? /^E_(WEIGHTS|PROMPTS)/ : /^E_USAGE$/);
    }
  }, 240_000);

  it('asks for the name of the class where its sentences have one, and takes none elsewhere', async () => {
    if (namesClass) {
      const unnamed = await score(name, [picture], own());
      expect(unnamed).toMatchObject({
        stdout: '',
        stderr: expect.stringMatching(/E_PROMPTS.*--class-name/s),
      });
      expect(await codeOf(name, prompts(name))).toBe('E_PROMPTS');
      for (const empty of ['', ' '])
        expect(await codeOf(name, { ...prompts(name), className: empty })).toMatch(/^E_(USAGE|PROMPTS)$/);
    } else {
      const idle = await score(name, [picture], own(), '--class-name', 'part');
      expect(idle).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('E_USAGE') });
      expect(await codeOf(name, { ...prompts(name), className: 'part' })).toBe('E_USAGE');
    }
  }, 240_000);

  it('has finite scores and maps within its ranges for pictures of one colour', async () => {
    const flat = Object.keys(colours).map((colour) => at(`${colour}.png`));
    const finished = await score(name, flat, own(), ...named(name));
    expect(finished).toMatchObject({ code: 0 });
    const told = lines(finished).map((line) => (line as { score: number }).score);
    expect(told).toHaveLength(flat.length);
    await withEngine(name, { ...prompts(name), ...className(name) }, async (engine) => {
      const { method } = engine.settings();
      const { score: ofScores, map: ofMaps } = rangesOf({ method, normals: undefined });
      for (const [i, path] of flat.entries()) {
        const result = await engine.score(path, { map: true });
        expect(result.score).toBe(told[i]);
        expect(result.score).toBeGreaterThanOrEqual(ofScores[0]);
        expect(result.score).toBeLessThanOrEqual(ofScores[1]);
        const values = [...result.map!.data];
        expect(values.length).toBeGreaterThan(0);
        expect(values.filter((value) => !(value >= ofMaps[0] && value <= ofMaps[1]))).toEqual([]);
      }
    });
  }, 240_000);
});

describe('a context of another length than the texts are made for', () => {
  /** A prompt file without texts of its own. */
  async function bare(rows: number): Promise<string> {
    const width = 384;
    const tensors = ['ctx_pos', 'ctx_neg'];
    const bytes = rows * width * 4;
    const header = JSON.stringify(
      Object.fromEntries(
        tensors.map((tensor, i) => [
          tensor,
          { dtype: 'F32', shape: [1, 1, rows, width], data_offsets: [i * bytes, (i + 1) * bytes] },
        ]),
      ),
    );
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    const values = Float32Array.from({ length: 2 * rows * width }, (_, i) => Math.sin(i) / 50);
    const path = at(`bare-${rows}.safetensors`);
    await writeFile(path, Buffer.concat([size, Buffer.from(header), Buffer.from(values.buffer)]));
    return path;
  }

  it.each([1, 8, 11, 13, 14])(
    '%i rows are refused, and it says how many are meant',
    async (rows) => {
      const refused = await score('anomalyclip', [picture], await bare(rows));
      expect(refused).toMatchObject({ code: 4, stdout: '' });
      expect(refused.stderr).toMatch(
        new RegExp(`bare-${rows}.*${rows} context rows.*12 placeholders.*E_PROMPTS`, 's'),
      );
      expect(await codeOf('anomalyclip', { prompts: await bare(rows) })).toBe('E_PROMPTS');
    },
    240_000,
  );

  it('12 rows are scored', async () => {
    expect(await score('anomalyclip', [picture], await bare(12))).toMatchObject({ code: 0 });
  }, 240_000);
});
