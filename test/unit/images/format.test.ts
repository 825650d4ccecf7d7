import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headBytes, pictureEndings, pictureKind, unmarkedKind } from '../../../src/images/format.js';

const pictures = new URL('./pictures/', import.meta.url).pathname;
const latin = (text: string) => Buffer.from(text, 'latin1');

describe('pictureKind of a name', () => {
  it.each([
    ['a.png', 'png'],
    ['folder.d/a.JPG', 'jpeg'],
    ['a.b.Tiff', 'tiff'],
    ['C:\\cam\\a.jfif', 'jpeg'],
  ])('%s is read as %s', (name, format) => {
    expect(pictureKind(name)).toMatchObject({ kind: 'read', format });
  });

  it.each([
    ['a.jpx', 'JPEG 2000 with extensions'],
    ['scan.nrrd', 'NRRD'],
    ['frames.npy', 'NumPy array'],
    ['scene.exr', 'OpenEXR'],
    ['slide.nii', 'NIfTI'],
    ['a.TGA', 'TGA'],
    ['IMG_0001.MOV', 'video'],
    ['a.dng', 'camera raw'],
    ['a.jxl', 'JPEG XL'],
    ['a.raw', 'headerless raw'],
  ])('%s is recognised as %s, with a way to get something that is read', (name, title) => {
    const found = pictureKind(name);
    expect(found).toMatchObject({ kind: 'known', title });
    expect(found.kind === 'known' && found.hint.length).toBeGreaterThan(10);
  });

  it.each(['notes.txt', 'png', '.png', 'a.png/', 'a.png.bak', 'Thumbs.db', ''])('%s is unknown', (name) => {
    expect(pictureKind(name)).toEqual({ kind: 'unknown' });
  });

  it('knows no ending twice', () => {
    expect(new Set(pictureEndings).size).toBe(pictureEndings.length);
    for (const ending of pictureEndings) expect(pictureKind(`a.${ending}`).kind).toBe('read');
  });
});

describe('pictureKind of first bytes', () => {
  it('agrees with the name of every fixture', () => {
    const files = readdirSync(pictures).filter((name) => !name.endsWith('.json'));
    expect(files.length).toBeGreaterThan(50);
    for (const name of files) {
      const head = readFileSync(join(pictures, name)).subarray(0, headBytes);
      expect([name, pictureKind(head)]).toEqual([name, pictureKind(name)]);
    }
  });

  it.each([
    ['NRRD0005\n', 'NRRD'],
    ['\x93NUMPY\x01\0', 'NumPy array'],
    ['\x89HDF\r\n\x1a\n', 'HDF5'],
    ['\x76\x2f\x31\x01', 'OpenEXR'],
    ['#?RADIANCE\n', 'Radiance HDR'],
    ['\xff\x0a', 'JPEG XL'],
    ['\xff\xd8\xff\xf7', 'JPEG-LS'],
    ['\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'video'],
    ['II*\0\x10\0\0\0CR\x02\0', 'camera raw'],
    [`${'\0'.repeat(128)}DICM`, 'DICOM'],
    ['8BPS', 'Photoshop'],
  ])('%j is %s', (head, title) => {
    expect(pictureKind(latin(head))).toMatchObject({ kind: 'known', title });
  });

  it.each(['', 'B', 'BMW/front.png\n', 'II', 'GIF88a', 'P5', 'readme'])('%j is unknown', (head) => {
    expect(pictureKind(latin(head))).toEqual({ kind: 'unknown' });
  });

  it('leaves to the name what has no mark', () => {
    expect(unmarkedKind('a.tga')).toMatchObject({ kind: 'known', title: 'TGA' });
    expect(unmarkedKind('a.jp2')).toEqual({ kind: 'unknown' });
    expect(unmarkedKind('a.png')).toEqual({ kind: 'unknown' });
  });
});
