/**
 * Damaged pictures of every format, enumerated: each is read or refused with a code of pictures, and nothing else happens.
 * And small files that claim to be large (bombs.mjs; its own output has the milliseconds).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSamples } from '../../dist/images/read-samples.js';
import { root } from '../cli/crane-native.js';
import { bombs, tryBombs } from './bombs.mjs';
import { isFull, numbersFrom } from './faults.js';

const folders = ['pictures', 'field'].map((name) => join(root, 'test', 'unit', 'images', name));
const k_limits = { maxPixels: 100_000_000, exif: true };
const k_damages = isFull ? 60 : 6;
const k_ofPictures =
  /^E_IMAGE_(DECODE|FORMAT|EMPTY|TOO_LARGE|TOO_SMALL|COLOUR|ANIMATED|NONFINITE|RANGE|SHAPE)$/;

async function outcomeOf(read: () => Promise<unknown>): Promise<string> {
  try {
    await read();
    return 'read';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? `without a code: ${thrown}`;
  }
}

/** Cut at several places, emptied in the middle, hit by errors, with extreme numbers in its head, its end doubled. */
function* damaged(bytes: Buffer, random: () => number): Generator<Buffer> {
  for (const share of [0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.95])
    yield bytes.subarray(0, Math.floor(bytes.length * share));
  yield Buffer.from(bytes).fill(0, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2));
  yield Buffer.concat([bytes, bytes]);
  for (let i = 0; i < k_damages; i++) {
    const copy = Buffer.from(bytes);
    // Heads are where sizes and offsets stand.
    const reach = i % 2 === 0 ? Math.min(bytes.length, 200) : bytes.length;
    const hits = 1 + Math.floor(random() * 6);
    for (let hit = 0; hit < hits; hit++) {
      const at = Math.floor(random() * reach);
      if (i % 3 === 0) copy.fill(random() < 0.5 ? 0xff : 0x7f, at, Math.min(at + 4, copy.length));
      else copy[at] = Math.floor(random() * 256);
    }
    yield copy;
  }
}

it('damaged pictures of every format', async () => {
  const random = numbersFrom(3);
  const outcomes = new Map<string, number>();
  const strange: string[] = [];
  let tried = 0;
  for (const folder of folders) {
    for (const name of (await readdir(folder)).sort()) {
      if (name.endsWith('.json')) continue;
      let each = 0;
      for (const bytes of damaged(await readFile(join(folder, name)), random)) {
        const code = await outcomeOf(() => readSamples({ kind: 'bytes', name, bytes }, k_limits));
        outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
        if (code !== 'read' && !k_ofPictures.test(code)) strange.push(`${name} ${each}: ${code}`);
        each++;
        tried++;
      }
    }
  }
  expect(tried).toBeGreaterThanOrEqual(500);
  expect(strange).toEqual([]);
  const refused = [...outcomes]
    .filter(([code]) => code !== 'read')
    .reduce((sum, [, count]) => sum + count, 0);
  expect(refused).toBeGreaterThanOrEqual(500);
  console.log(`${tried} damaged pictures: ${[...outcomes].map(([code, n]) => `${code} ${n}`).join(', ')}`);
  // What this test must not take for an answer.
  expect(k_ofPictures.test(await outcomeOf(() => Promise.reject(new TypeError('planted'))))).toBe(false);
}, 600_000);

it('small files that claim to be large are refused before they are', async () => {
  const results = tryBombs();
  expect(Object.keys(bombs).length).toBeGreaterThanOrEqual(10);
  for (const result of results) {
    expect(result, result.name).toMatchObject({
      code: expect.stringMatching(/^E_IMAGE_(TOO_LARGE|DECODE)$/),
    });
    expect(result.grownMb, result.name).toBeLessThan(50);
  }
}, 120_000);

it('the limit is the caller’s', async () => {
  const source = {
    kind: 'bytes' as const,
    name: 'small',
    bytes: await readFile(join(folders[0]!, 'rgb8.png')),
  };
  const codeAt = (maxPixels: number) => outcomeOf(() => readSamples(source, { ...k_limits, maxPixels }));
  expect(await codeAt(10)).toBe('E_IMAGE_TOO_LARGE');
  expect(await codeAt(10_000_000)).toBe('read');
});
