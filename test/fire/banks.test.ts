/** Damaged banks of normal pictures: each is refused with its code or is the bank that was written; written again it has the same bytes. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, type LearnNormalsOptions, loadEngine } from '../../dist/index.js';
import { makeTinyModel } from '../cli/tiny-model.js';
import { makeToyFolder, writePicture } from '../unit/engine/toy-model.js';
import { isFull, numbersFrom } from './faults.js';

let folder: string;
let engine: Engine;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await makeToyFolder();
  engine = await loadEngine({ model: await makeTinyModel(at('model')) });
  for (const [each, name] of ['a', 'b', 'c'].entries()) await writePicture(at(`${name}.png`), 60 * each + 40);
}, 120_000);
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function bankOf(name: string, options: LearnNormalsOptions): Promise<Buffer> {
  const bank = await engine.learnNormals([at('a.png'), at('b.png'), at('c.png')], options);
  await bank.save(at(name));
  bank.remove();
  return readFile(at(name));
}

/** `same` where it is as it was written, otherwise a code, or what it became. */
async function outcome(bytes: Uint8Array, whole: Buffer): Promise<string> {
  const path = at('damaged.normals.safetensors');
  await writeFile(path, bytes);
  try {
    const bank = await engine.openNormals(path);
    try {
      await bank.save(at('again.normals.safetensors'), { overwrite: true });
    } finally {
      bank.remove();
    }
    return whole.equals(await readFile(at('again.normals.safetensors'))) ? 'same' : 'another bank';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? `without a code: ${thrown}`;
  }
}

const k_refused = /^E_(NORMALS|WEIGHTS_\w+)$/;

it.each<[string, LearnNormalsOptions]>([
  ['of rows', {}],
  ['of copies', { turns: 2, mirror: true }],
  ['of chosen rows', { bankSize: 9 }],
  ['of a subspace', { bankKind: 'subspace' }],
])(
  '%s',
  async (name, options) => {
    const whole = await bankOf(`${name}.normals.safetensors`, options);
    expect(await outcome(whole, whole)).toBe('same');
    const head = 8 + Number(whole.readBigUInt64LE(0));
    const random = numbersFrom(5);
    const bad: string[] = [];
    const outcomes = new Map<string, number>();
    const see = (what: string, answer: string) => {
      outcomes.set(answer, (outcomes.get(answer) ?? 0) + 1);
      if (answer !== 'same' && !k_refused.test(answer)) bad.push(`${what}: ${answer}`);
    };
    for (let length = 0; length < whole.length; length += length < head ? (isFull ? 1 : 23) : 997) {
      const answer = await outcome(whole.subarray(0, length), whole);
      see(`cut at ${length}`, answer === 'same' ? 'same, cut' : answer);
    }
    for (let i = 0; i < (isFull ? 20_000 : 400); i++) {
      // Half of them where the head is, and the small numbers behind it.
      const byte = i % 2 === 0 ? Math.floor(random() * (head + 300)) : Math.floor(random() * whole.length);
      const copy = Buffer.from(whole);
      copy[byte]! ^= 1 << Math.floor(random() * 8);
      see(
        `byte ${byte} of ${head}: ${whole.subarray(byte - 8, byte + 8).toString('latin1')}`,
        await outcome(copy, whole),
      );
    }
    console.log(`${name}: ${[...outcomes].map(([answer, count]) => `${answer} ${count}`).join(', ')}`);
    expect(bad).toEqual([]);
  },
  600_000,
);
