import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CraneError } from '../../../src/errors.js';
import { CutShort } from '../../../src/net/retry.js';
import { wholeBody } from '../../../src/net/whole-body.js';

const tooLarge = () => new CraneError('E_IMAGE_TOO_LARGE', 'too large');

/** So many pieces of ten bytes, which count how many of them were taken. */
function pieces(count: number) {
  const taken = { count: 0 };
  const body = Readable.from(
    (async function* () {
      for (; taken.count < count; taken.count++) yield Buffer.alloc(10, taken.count);
    })(),
    { highWaterMark: 1 },
  );
  return { body, taken };
}

describe('a body that is held whole', () => {
  it.each([30, undefined])('is all that came, in memory of its own, announced: %s', async (announced) => {
    const { body } = pieces(3);
    const bytes = await wholeBody(body, { announced, most: 30, tooLarge });
    expect(Buffer.from(bytes)).toEqual(Buffer.concat([0, 1, 2].map((value) => Buffer.alloc(10, value))));
    expect(bytes.buffer.byteLength).toBe(30);
  });

  it('is refused before any of it is taken where it announces more than the limit', async () => {
    const { body, taken } = pieces(100);
    await expect(wholeBody(body, { announced: 2e11, most: 40, tooLarge })).rejects.toThrow('too large');
    expect([taken.count, body.destroyed]).toEqual([0, true]);
  });

  it('is refused at the limit where it announces nothing, and let go', async () => {
    const { body, taken } = pieces(1000);
    await expect(wholeBody(body, { announced: undefined, most: 45, tooLarge })).rejects.toThrow('too large');
    expect(taken.count).toBeLessThan(20);
    expect(body.destroyed).toBe(true);
  });

  it('is cut short where less comes than was announced, and refused where more does', async () => {
    const short = pieces(2).body;
    await expect(wholeBody(short, { announced: 21, tooLarge })).rejects.toBeInstanceOf(CutShort);
    const long = pieces(2).body;
    await expect(wholeBody(long, { announced: 19, tooLarge })).rejects.toThrow('more than it announced');
    expect([short.destroyed, long.destroyed]).toEqual([true, true]);
  });

  it("ends with the body's own error", async () => {
    const body = new Readable({ read() {} });
    const reading = wholeBody(body, { announced: 20, tooLarge });
    body.push(Buffer.alloc(10));
    body.destroy(new Error('cut'));
    await expect(reading).rejects.toThrow('cut');
  });
});
