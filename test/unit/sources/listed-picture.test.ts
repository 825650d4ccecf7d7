import { expect, it } from 'vitest';
import { placeOf, shortName } from '../../../src/sources/listed-picture.js';

it('a picture at an address has no password in its name nor in the names of its files', () => {
  const address = 'https://me:secret@host/parts/a.png?id=7';
  expect(shortName(address)).toBe('https://host/parts/a.png?id=7');
  expect(placeOf(address)).toBe('host/parts/a.png');
  expect(placeOf('http://me:sec/ret@host/a.png')).toBe('host/a.png');
  expect([shortName('s3://bucket/a@b?c.png'), placeOf('s3://bucket/a@b.png')]).toEqual([
    's3://bucket/a@b?c.png',
    'bucket/a@b.png',
  ]);
  expect(shortName('parts/a@2x.png')).toBe('parts/a@2x.png');
});
