/** A damaged model.json: refused with its code, or read as it says; nothing of it is passed over. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { parseModelJson } from '../../src/models/model-json.js';
import { root } from '../cli/crane-native.js';
import { toyModelJson } from '../unit/engine/toy-model.js';
import { isFull } from './faults.js';

// Thousands of small files: what they take is the machine's business.
vi.setConfig({ testTimeout: 300_000 });

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A text that tells models apart, or the code. */
function outcome(text: string): string {
  try {
    return JSON.stringify(parseModelJson(text, 'x/model.json'));
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? `without a code: ${thrown}`;
  }
}

/** Every place of a value, from the whole to its leaves. */
function* placesOf(value: Json, path: (string | number)[] = []): Generator<(string | number)[]> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    yield* placesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]);
}

function changed(
  value: Json,
  [first, ...rest]: (string | number)[],
  change: (old: Json) => Json | undefined,
): Json | undefined {
  if (first === undefined) return change(value);
  const inner = changed((value as Record<string, Json>)[first]!, rest, change);
  const copy = structuredClone(value) as Record<string, Json>;
  if (inner !== undefined) copy[first] = inner;
  else if (Array.isArray(copy)) copy.splice(Number(first), 1);
  else delete copy[first];
  return copy;
}

const models = async (): Promise<Json[]> => [
  toyModelJson as unknown as Json,
  JSON.parse(await readFile(join(root, 'models', 'crane-mini', 'model.json'), 'utf8')),
];

const wrong: Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'x',
  '../x',
  '/x',
  'a\0b',
  'C:\\x',
  [],
  [0],
  [null],
  {},
  { x: 1 },
];

it('each value is what it must not be', async () => {
  let [tried, refused] = [0, 0];
  const bad: string[] = [];
  for (const [each, model] of (await models()).entries()) {
    const sound = outcome(JSON.stringify(model));
    expect(sound).not.toMatch(/^E_/);
    for (const path of placesOf(model)) {
      for (const value of each === 0 || isFull ? [...wrong, undefined] : [null, -1, 'x', {}, undefined]) {
        const given = changed(model, path, () => value);
        if (given === undefined || JSON.stringify(given) === JSON.stringify(model)) continue;
        const answer = outcome(JSON.stringify(given));
        tried++;
        if (answer === 'E_MODEL_JSON') refused++;
        else if (answer.startsWith('E_') || answer.startsWith('without') || answer === sound)
          bad.push(`${path.join('.')} ${JSON.stringify(value)}: ${answer.slice(0, 80)}`);
      }
    }
  }
  expect(bad).toEqual([]);
  expect(refused).toBeGreaterThan(1000);
  console.log(`${tried} descriptions with a wrong value: ${refused} refused`);
}, 300_000);

it('a field that nobody knows is refused, wherever it stands', async () => {
  let tried = 0;
  for (const model of await models()) {
    for (const path of placesOf(model)) {
      for (const name of ['unknown', '__proto__', 'constructor', 'toString', '']) {
        // Names of sets are the model's own.
        if (path.at(-1) === 'sets' && name !== '__proto__') continue;
        let isObject = false;
        const given = changed(model, path, (old) => {
          isObject = typeof old === 'object' && old !== null && !Array.isArray(old);
          // What sets `__proto__` in JavaScript is a key like others in JSON.
          return isObject ? Object.fromEntries([...Object.entries(old as object), ['@', {}]]) : old;
        });
        if (!isObject) continue;
        const text = JSON.stringify(given).replace('"@":{}', `${JSON.stringify(name)}:{}`);
        expect(outcome(text), `${path.join('.')} ${name}`).toBe('E_MODEL_JSON');
        tried++;
      }
    }
  }
  expect(tried).toBeGreaterThan(100);
});

it('every truncation and every single bit', async () => {
  const text = Buffer.from(JSON.stringify(toyModelJson));
  const sound = outcome(text.toString());
  for (let length = 0; length < text.length; length++)
    expect(outcome(text.subarray(0, length).toString()), `cut at ${length}`).toBe('E_MODEL_JSON');
  let refused = 0;
  const bad: string[] = [];
  for (let bit = 0; bit < 8 * text.length; bit += isFull ? 1 : 5) {
    const copy = Buffer.from(text);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    const answer = outcome(copy.toString());
    if (answer === 'E_MODEL_JSON') refused++;
    else if (answer.startsWith('E_') || answer.startsWith('without') || answer === sound)
      bad.push(
        `bit ${bit & 7} of ${text.subarray(Math.max(0, (bit >> 3) - 12), (bit >> 3) + 4)}: ${answer.slice(0, 60)}`,
      );
  }
  expect(bad).toEqual([]);
  expect(refused).toBeGreaterThan(1000);
  console.log(
    `${text.length} truncations, ${Math.ceil((8 * text.length) / (isFull ? 1 : 5))} bits: ${refused} of the bits refused`,
  );
}, 300_000);
