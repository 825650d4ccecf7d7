import { expect, it } from 'vitest';
import { checkSize } from '../../../src/images/read-limits.js';

it.each([
  [8, 8, undefined],
  [10, 10, undefined],
  [7, 9, 'E_IMAGE_TOO_SMALL'],
  [10, 11, 'E_IMAGE_TOO_LARGE'],
  [Number.NaN, 9, 'E_IMAGE_DECODE'],
  [9, Number.NaN, 'E_IMAGE_DECODE'],
  [9.5, 9, 'E_IMAGE_DECODE'],
  [9, Number.POSITIVE_INFINITY, 'E_IMAGE_DECODE'],
])('%d x %d pixels with a limit of 100: %s', (width, height, code) => {
  const check = () => checkSize('a.png', width, height, { maxPixels: 100 });
  if (code === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code }));
});

it('a side that is large enough for the caller', () => {
  expect(() => checkSize('a.png', 1, 3, { maxPixels: 100, minSide: 1 })).not.toThrow();
  expect(() => checkSize('a.png', 0, 3, { maxPixels: 100, minSide: 1 })).toThrow(
    'expected at least 1 a side',
  );
});
