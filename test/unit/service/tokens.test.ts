/** How tokens are compared: with every known one, whole, whichever is given, so that time tells nothing of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';

const compared: [Uint8Array, Uint8Array][] = [];
vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>();
  const timingSafeEqual: typeof real.timingSafeEqual = (a, b) => {
    compared.push([a as Uint8Array, b as Uint8Array]);
    return real.timingSafeEqual(a, b);
  };
  return { ...real, timingSafeEqual };
});
const { AccessTokens } = await import('../../../src/service/tokens.js');

const known = Array.from({ length: 5 }, (_, at) => `token-number-${at}-of-the-test`);
let folder: string;
let tokens: Awaited<ReturnType<typeof AccessTokens.read>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane-tokens-'));
  const path = join(folder, 'tokens');
  await writeFile(path, known.join('\n'));
  tokens = await AccessTokens.read(path);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  compared.length = 0;
});

it.each([
  ['the first', known[0]!, true],
  ['the last', known[4]!, true],
  ['one that differs in its last character', `${known[0]!.slice(0, -1)}T`, false],
  ['one that is short', 'x', false],
  ['one that is long', 'x'.repeat(10_000), false],
])('%s is compared with each of them, digest with digest', (_what, token, isKnown) => {
  expect(tokens.rightsOf(token) !== undefined).toBe(isKnown);
  expect(compared).toHaveLength(known.length);
  for (const pair of compared) expect(pair.map(({ length }) => length)).toEqual([32, 32]);
  // What is compared is no token.
  for (const [given] of compared) expect(Buffer.from(given).equals(Buffer.from(token))).toBe(false);
});
