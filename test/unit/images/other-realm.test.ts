/** A test runner gives its tests a global object of their own: arrays made there are arrays all the same. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/images/decode.js';
import { nameOfInput, toPictureSource } from '../../../src/images/picture-input.js';
import { readingOf } from '../../../src/images/reading.js';
import { nativePicture } from '../../../src/metrics/picture.js';

const elsewhere = <T>(code: string): T => runInNewContext(code) as T;

describe('arrays of another realm', () => {
  it('are others by instanceof', () => {
    expect(elsewhere<Uint8Array>('new Uint8Array(1)') instanceof Uint8Array).toBe(false);
  });

  it.each(['new Uint8Array(4)', 'new ArrayBuffer(4)'])('%s is a picture file', (code) => {
    const input = elsewhere(code);
    expect(toPictureSource(input)).toMatchObject({ kind: 'bytes', name: '<bytes>' });
    expect(nameOfInput(input)).toBe('<bytes>');
  });

  it.each([
    ['new Uint8Array(192)', 3, 'RGB'],
    ['new Uint8ClampedArray(192)', 3, 'RGB'],
    ['new Uint16Array(64)', 1, 'L'],
  ] as const)('%s is pixels', async (code, channels, mode) => {
    const data = elsewhere<Uint8Array>(code).fill(200);
    const source = toPictureSource({ data, width: 8, height: 8, channels });
    const picture = await decodePicture(source, { maxPixels: 64, reading: readingOf({ bitDepth: 8 }) });
    expect([picture.mode, new Set(picture.data)]).toEqual([mode, new Set([200])]);
  });

  it('are maps and masks', () => {
    const map = { data: elsewhere<Float32Array>('new Float32Array(4)'), width: 2, height: 2 };
    const mask = { data: elsewhere<Uint8Array>('new Uint8Array(4)'), width: 2, height: 2 };
    expect(nativePicture({ className: 'a', map, mask }, 0).map).toBe(map.data);
  });

  it('that fit nowhere are refused as before', () => {
    expect(() => toPictureSource(elsewhere('new Float64Array(4)'))).toThrow(/Expected a path/);
    const data = elsewhere<Float32Array>('new Float64Array(4)');
    expect(() => nativePicture({ className: 'a', map: { data, width: 2, height: 2 } }, 0)).toThrow(
      /Float32Array/,
    );
  });
});
