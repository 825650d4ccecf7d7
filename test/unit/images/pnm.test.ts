import { describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { decodePicture } from '../../../src/images/decode.js';
import { pictureKind } from '../../../src/images/format.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { type Reading, readingOf } from '../../../src/images/reading.js';

const side = 8;
const ramp = Array.from({ length: side * side }, (_, at) => at * 4);
const file = (header: string, samples: Iterable<number> | string = []) =>
  Buffer.concat([
    Buffer.from(header, 'latin1'),
    typeof samples === 'string' ? Buffer.from(samples, 'latin1') : Buffer.from(Uint8Array.from(samples)),
  ]);
const bigEndian = (values: readonly number[]) => values.flatMap((value) => [value >> 8, value & 255]);

const decode = (bytes: Uint8Array, reading: Partial<Reading> = {}) =>
  decodePicture(toPictureSource(bytes), { maxPixels: 1e6, reading: { ...readingOf(), ...reading } });
const codeOf = (bytes: Uint8Array) =>
  decode(bytes).then(
    () => 'no error',
    (error: CraneError) => error.code,
  );

describe('Netpbm pictures (case C4)', () => {
  it('grey and colour, raw and in text, with comments in the header', async () => {
    const raw = await decode(file('P5\n# by a camera\n8 8\n255\n', ramp));
    expect([raw.mode, raw.width, raw.height, [...raw.data]]).toEqual(['L', side, side, ramp]);
    const plain = await decode(file(`P2 8 8 # size\n255\n`, ramp.join('\n ')));
    expect([...plain.data]).toEqual(ramp);
    const colours = ramp.flatMap((value) => [value, 0, 255 - value]);
    const colour = await decode(file('P6 8 8 255 ', colours));
    expect([colour.mode, [...colour.data]]).toEqual(['RGB', colours]);
    expect([...(await decode(file('P3 8 8 255 ', colours.join(' ')))).data]).toEqual(colours);
  });

  it('a maximum below 255 is white, rounded as Pillow does', async () => {
    const values = Array.from(ramp, (_, at) => at);
    const { data } = await decode(file('P5 8 8 100 ', values));
    // Pillow 13: Image.open(...).getdata()
    expect([...data].slice(0, 8)).toEqual([0, 3, 5, 8, 10, 13, 15, 18]);
    expect(data[63]).toBe(161);
  });

  it('16 bits by their maximum: what the file says is the range', async () => {
    const twelve = await decode(file('P5 8 8 4095 ', bigEndian(ramp.map((value) => value * 16))));
    expect([...twelve.data]).toEqual(ramp);
    expect(twelve.levels).toMatchObject({ bits: 12, from: 'tag' });
    expect(twelve.notes).toEqual([]);
    const sixteen = await decode(file('P5 8 8 65535 ', bigEndian(ramp.map((value) => value * 257))));
    expect([[...sixteen.data], sixteen.levels?.bits]).toEqual([ramp, 16]);
    const odd = await decode(file('P5 8 8 1000 ', bigEndian(ramp)));
    expect(odd.levels).toEqual({ low: 0, high: 1000, from: 'tag' });
    expect(odd.data[63]).toBe(Math.floor((252 * 256) / 1000));
  });

  it('bilevel: 1 is black, rows end at whole bytes', async () => {
    const bits = Array.from({ length: side }, (_, row) => 1 << row);
    const raw = await decode(file('P4 8 8 ', bits));
    expect(raw.mode).toBe('P');
    expect([...raw.data].filter((value) => value === 0)).toHaveLength(8 * 3);
    expect([...raw.data.subarray(7 * 3, 8 * 3)]).toEqual([0, 0, 0]);
    const text = bits
      .flatMap((byte) => Array.from({ length: 8 }, (_, at) => (byte >> (7 - at)) & 1))
      .join('');
    expect((await decode(file('P1 8 8 ', text))).data).toEqual(raw.data);
  });

  it('floating point needs a range, and stands from the bottom up', async () => {
    const values = Float32Array.from(ramp, (value) => value / 255);
    const upsideDown = Float32Array.from({ length: 64 }, (_, at) => values[(7 - (at >> 3)) * 8 + (at & 7)]!);
    const little = file('Pf\n8 8\n-1.0\n', new Uint8Array(upsideDown.buffer));
    expect(await codeOf(little)).toBe('E_IMAGE_RANGE');
    const picture = await decode(little, { valueRange: { low: 0, high: 1 } });
    expect([picture.mode, [...picture.data]]).toEqual(['L', ramp]);
    const swapped = Buffer.from(new Uint8Array(upsideDown.buffer)).swap32();
    const big = await decode(file('Pf\n8 8\n1.0\n', swapped), { valueRange: { low: 0, high: 1 } });
    expect([...big.data]).toEqual(ramp);
  });

  it('is told from a list of paths', () => {
    expect(pictureKind(file('P5\n640 480\n'))).toMatchObject({ kind: 'read', format: 'pnm' });
    expect(pictureKind(file('P5/a.png\nP6/b.png\n'))).toEqual({ kind: 'unknown' });
  });
});

describe('a damaged Netpbm picture', () => {
  it.each([
    ['no size', 'P5 \n8'],
    ['a size of 0', 'P5 0 8 255 '],
    ['letters for a size', 'P5 8a 8 255 '],
    ['a size of endless digits', `P5 ${'9'.repeat(400)} 8 255 `],
    ['a maximum of 0', `P5 8 8 0 ${'\0'.repeat(64)}`],
    ['a maximum of 65536', `P5 8 8 65536 ${'\0'.repeat(128)}`],
    ['a header without end', 'P5 8 8 255'],
    ['samples that end too early', `P5 8 8 255 ${'\0'.repeat(63)}`],
    ['text that ends too early', 'P2 8 8 255 1 2 3'],
    ['text that is no number', `P2 8 8 255 ${'x '.repeat(64)}`],
    ['a value above the maximum', `P5 8 8 100 ${'\x65'.repeat(64)}`],
    ['a bit that is 2', `P1 8 8 ${'2'.repeat(64)}`],
    ['a scale of 0', `Pf 8 8 0 ${'\0'.repeat(256)}`],
    ['a comment without end', `P5 8 8 #${' '.repeat(200)}`],
  ])('with %s is E_IMAGE_DECODE', async (_, text) => {
    expect(await codeOf(file(text))).toBe('E_IMAGE_DECODE');
  });

  it('takes no memory for what it only claims', async () => {
    let reserved = 0;
    const work = decodePicture(toPictureSource(file('P3 900000 900000 255 ')), {
      maxPixels: 1e6,
      reading: readingOf(),
      reserve: async () => void reserved++,
    });
    await expect(work).rejects.toMatchObject({ code: 'E_IMAGE_TOO_LARGE' });
    expect(reserved).toBe(0);
  });

  it('with another behind it has frames, and says so', async () => {
    const one = file('P5 8 8 255 ', ramp);
    expect(await codeOf(Buffer.concat([one, one]))).toBe('E_IMAGE_ANIMATED');
    expect(await codeOf(Buffer.concat([one, Buffer.from('\n')]))).toBe('no error');
  });
});
