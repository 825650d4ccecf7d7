import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { profileNotes } from '../../../src/images/colour-profile.js';
import { decodePicture } from '../../../src/images/decode.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { readingOf } from '../../../src/images/reading.js';

const decode = (bytes: Uint8Array) =>
  decodePicture(toPictureSource(bytes), { maxPixels: 1e6, reading: readingOf() });

/** With one tone curve and one red primary: what is looked at. */
function profile({ curve, red = 0.436 }: { curve: (view: DataView, at: number) => void; red?: number }) {
  const bytes = Buffer.alloc(256);
  bytes.write('RGB XYZ ', 16);
  bytes.write('acsp', 36);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(2, 128);
  for (const [index, [name, at]] of [
    ['rTRC', 160],
    ['rXYZ', 220],
  ].entries() as Iterable<[number, [string, number]]>) {
    bytes.write(name, 132 + 12 * index);
    bytes.writeUInt32BE(at, 136 + 12 * index);
    bytes.writeUInt32BE(20, 140 + 12 * index);
  }
  bytes.write('XYZ ', 220);
  bytes.writeInt32BE(Math.round(red * 65536), 228);
  curve(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 160);
  return bytes;
}
const text = (view: DataView, at: number, name: string) => {
  for (const [index, sign] of [...name].entries()) view.setUint8(at + index, sign.charCodeAt(0));
};
const power = (gamma: number) => (view: DataView, at: number) => {
  text(view, at, 'curv');
  view.setUint32(at + 8, 1);
  view.setUint16(at + 12, Math.round(gamma * 256));
};
const identity = (view: DataView, at: number) => text(view, at, 'curv');
const formula = (gamma: number) => (view: DataView, at: number) => {
  text(view, at, 'para');
  view.setInt32(at + 12, Math.round(gamma * 65536));
};
const table = (gamma: number) => (view: DataView, at: number) => {
  text(view, at, 'curv');
  view.setUint32(at + 8, 17);
  for (let entry = 0; entry < 17; entry++)
    view.setUint16(at + 12 + 2 * entry, Math.round(65535 * (entry / 16) ** gamma));
};

describe('a colour profile, which is not applied', () => {
  it.each([
    ['an identity', profile({ curve: identity }), /linear in light \(gamma 1\.0\)/],
    ['a power of 1', profile({ curve: power(1) }), /linear/],
    ['a formula of 1', profile({ curve: formula(1) }), /linear/],
    ['a table of 1', profile({ curve: table(1) }), /linear/],
    ['Adobe RGB', profile({ curve: power(2.2), red: 0.609 }), /wider than sRGB/],
  ])('is told where it is %s', (_what, icc, message) => {
    expect(profileNotes(icc)).toEqual([{ kind: 'profile', message: expect.stringMatching(message) }]);
  });

  it.each([
    ['sRGB', profile({ curve: formula(2.4) })],
    ['the P3 of phones', profile({ curve: formula(2.4), red: 0.515 })],
    ['a table of 2.2', profile({ curve: table(2.2) })],
    ['none', undefined],
    ['rubbish', Buffer.alloc(200, 255)],
  ])('is not told where it is %s', (_what, icc) => {
    expect(profileNotes(icc)).toEqual([]);
  });

  it('cut off anywhere tells nothing or the same', () => {
    const whole = profile({ curve: identity });
    for (let length = 0; length < whole.length; length++)
      expect(profileNotes(whole.subarray(0, length)).length).toBeLessThanOrEqual(1);
  });

  it.each(['tif', 'jpg'])('is told of a file: linear.%s', async (ending) => {
    const { notes } = await decode(await readFile(new URL(`field/linear.${ending}`, import.meta.url)));
    expect(notes).toEqual([{ kind: 'profile', message: expect.stringContaining('linear in light') }]);
  });

  it.each(['png', 'jpeg', 'tiff', 'webp'] as const)('of a phone is not told of %s', async (format) => {
    const grey = await sharp({ create: { width: 16, height: 12, channels: 3, background: '#456789' } })
      .withIccProfile('p3')
      .toFormat(format)
      .toBuffer();
    expect((await decode(grey)).notes).toEqual([]);
  });
});

describe('transparent pixels', () => {
  const cut = (share: number) => {
    // Of no one colour: that would be told too.
    const data = Buffer.alloc(100 * 100 * 4, 255).map((value, at) => (at % 4 === 3 ? value : (at * 7) % 200));
    for (let pixel = 0; pixel < share * 100 * 100; pixel++) data[4 * pixel + 3] = 0;
    return sharp(data, { raw: { width: 100, height: 100, channels: 4 } })
      .png()
      .toBuffer();
  };

  it('are told, since what lies beneath is seen', async () => {
    const { notes } = await decode(await cut(0.4));
    expect(notes).toEqual([{ kind: 'transparent', message: expect.stringContaining('40 % of its pixels') }]);
  });

  it('are not where they are a rounded corner, or none', async () => {
    expect((await decode(await cut(0.01))).notes).toEqual([]);
    expect((await decode(await cut(0))).notes).toEqual([]);
  });
});
