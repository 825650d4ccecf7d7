import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NativePicture } from '../../../src/addon/native.js';
import { decodePicture } from '../../../src/images/decode.js';
import { NoteTally } from '../../../src/images/note-tally.js';
import { pictureFindings } from '../../../src/images/picture-findings.js';
import { toPictureSource } from '../../../src/images/picture-input.js';
import { readingOf } from '../../../src/images/reading.js';

const width = 200;
const height = 100;
const grey = (value: (at: number) => number): NativePicture => ({
  data: Uint8Array.from({ length: width * height }, (_, at) => value(at)),
  width,
  height,
  mode: 'L',
});
const kinds = async (picture: NativePicture) => (await pictureFindings(picture)).map(({ kind }) => kind);

describe('pictureFindings', () => {
  it('names what is constant, at one end, or without differences', async () => {
    expect(await kinds(grey(() => 90))).toEqual(['constant']);
    expect(await kinds(grey((at) => (at % 100 === 0 ? 9 : 0)))).toEqual(['one-end']);
    const [white] = await pictureFindings(grey((at) => (at % 100 === 0 ? 9 : 255)));
    expect(white!.message).toMatch(/^99 % .* white/);
    expect(await kinds(grey((at) => 100 + (at % 3)))).toEqual(['narrow']);
  });

  it('not scenes on a dark ground or a bright table', async () => {
    expect(await kinds(grey((at) => (at % 10 === 0 ? 80 : 0)))).toEqual([]);
    expect(await kinds(grey((at) => (at % 10 === 0 ? 80 : 255)))).toEqual([]);
    expect(await kinds(grey((at) => 100 + (at % 9)))).toEqual([]);
  });

  it('by the colours alone, whatever the alpha', async () => {
    const rgba = (alpha: number): NativePicture => ({
      data: Uint8Array.from({ length: 4 * width * height }, (_, at) => (at % 4 === 3 ? alpha : at % 251)),
      width,
      height,
      mode: 'RGBA',
    });
    expect(await kinds(rgba(0))).toEqual([]);
    const black: NativePicture = {
      data: Uint8Array.from({ length: 4 * width * height }, (_, at) => (at % 4 === 3 || at === 0 ? 255 : 0)),
      width,
      height,
      mode: 'RGBA',
    };
    expect(await kinds(black)).toEqual(['one-end']);
  });

  it('says nothing of the sample pictures', async () => {
    const samples = new URL('../../../models/crane-mini/samples/', import.meta.url).pathname;
    const names = readdirSync(samples).filter((name) => name.endsWith('.jpg'));
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) {
      const source = toPictureSource(join(samples, name));
      const picture = await decodePicture(source, { maxPixels: 1e8, reading: readingOf() });
      expect([name, await pictureFindings(picture)]).toEqual([name, []]);
    }
  });
});

describe('the tally of a run', () => {
  it('says each kind once, with its count and the depth that holds all pictures', () => {
    const tally = new NoteTally();
    tally.add('a', [{ kind: 'bit-depth', message: 'ten', bits: 10 }]);
    tally.add('b', [{ kind: 'bit-depth', message: 'twelve', bits: 12 }]);
    tally.add('c', [{ kind: 'constant', message: 'nothing to see' }]);
    tally.add('d', []);
    expect(tally.lines()).toEqual([
      '2 of 4 pictures, for instance b: twelve',
      '1 of 4 pictures, for instance c: nothing to see',
    ]);
  });
});
