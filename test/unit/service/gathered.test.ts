/** Bodies that come in parts of any size. */
import { expect, it } from 'vitest';
import { Gathered } from '../../../src/service/requests/gathered.js';

function gather(lengths: Iterable<number>) {
  const gathered = new Gathered();
  const expected: Buffer[] = [];
  let next = 0;
  for (const length of lengths) {
    const part = Buffer.alloc(length, next++ & 255);
    expected.push(Buffer.from(part));
    gathered.add(part);
    // Whoever gives a small part may use its memory again.
    if (length <= 16_384) part.fill(0);
  }
  return { gathered, expected: Buffer.concat(expected) };
}

it.each([
  ['nothing', []],
  ['empty parts', [0, 0]],
  ['one', [3]],
  ['small and large ones in turn', [1, 70_000, 2, 16_384, 16_385, 40_000, 5, 65_536, 65_537, 1]],
  ['ones that fill a block', Array<number>(9).fill(16_384)],
  ['ones that do not', Array<number>(50).fill(9999)],
])('%s are what came, in its order', (_what, lengths) => {
  const { gathered, expected } = gather(lengths);
  expect(gathered.whole().equals(expected)).toBe(true);
});

it('many of one byte are kept in a few pieces', () => {
  const { gathered, expected } = gather(Array<number>(200_000).fill(1));
  expect(gathered.count).toBeLessThanOrEqual(4);
  expect(gathered.whole().equals(expected)).toBe(true);
});
