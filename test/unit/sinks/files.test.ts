import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { SeededGenerator } from '../../../src/data/seeded-generator.js';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { mapFile } from '../../../src/sinks/map-file.js';
import { OutputNames } from '../../../src/sinks/output-names.js';
import { makeFakeAddon } from '../engine/fake-addon.js';

const map = new AnomalyMap(
  { data: Float32Array.from({ length: 12 }, (_, at) => at / 11), width: 4, height: 3 },
  makeFakeAddon(),
);

describe('map files', () => {
  it('npy: a header of format 1.0 padded to 64 bytes, then the values', async () => {
    const bytes = Buffer.concat(await mapFile(map, 'npy'));
    expect(bytes.subarray(0, 8)).toEqual(Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]));
    const start = 10 + bytes.readUInt16LE(8);
    expect(start % 64).toBe(0);
    expect(bytes.subarray(10, start).toString()).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(3, 4\), \} *\n$/,
    );
    expect(new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer)).toEqual(map.data);
  });

  it('tiff: other programs read the same floats', async () => {
    const { data, info } = await sharp(Buffer.concat(await mapFile(map, 'tiff')))
      .toColourspace('b-w')
      .raw({ depth: 'float' })
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 4, height: 3, channels: 1 });
    expect(data.length).toBe(48);
    const bytes = Buffer.concat(await mapFile(map, 'tiff'));
    expect(new Float32Array(Uint8Array.from(bytes.subarray(-48)).buffer)).toEqual(map.data);
  });

  it('tiff: a map whose bytes have no number there is refused', async () => {
    const large = { data: new Float32Array(1), width: 2 ** 16, height: 2 ** 14 };
    await expect(mapFile(new AnomalyMap(large, makeFakeAddon()), 'tiff')).rejects.toMatchObject({
      code: 'E_IMAGE_TOO_LARGE',
    });
  });
});

describe('names of output files', () => {
  const claimAll = (...places: string[]) => {
    const names = new OutputNames();
    return places.map((place) => names.claim(place));
  };

  it('mirror the inputs and never meet, whatever the file system folds together', () => {
    expect(claimAll('a.png', 'sub/a.png', 'a.jpg', 'a.jpg', 'A.png', 'noending')).toEqual([
      'a',
      'sub/a',
      'a.jpg',
      'a.jpg~2',
      'A.png',
      'noending',
    ]);
    const [composed, decomposed] = claimAll('\u00e9.png', 'e\u0301.png');
    expect(composed!.normalize('NFC')).not.toBe(decomposed!.normalize('NFC'));
  });

  it('never leave the folder', () => {
    for (const name of claimAll(
      '../../etc/passwd',
      '/abs/x.png',
      '..',
      '.',
      '',
      'a/../../b.png',
      'c:\\x\\y.png',
    )) {
      expect(join('/out', name).startsWith('/out/')).toBe(true);
      expect(name.split('/')).not.toContain('..');
    }
  });

  it('are safe on other systems and not too long', () => {
    expect(claimAll('a<b>:"|?*.png', 'tab\there.png')).toEqual(['a_b______', 'tab_here']);
    const [long] = claimAll(`${'ü'.repeat(300)}.png`);
    expect(Buffer.byteLength(long!)).toBeLessThanOrEqual(180);
  });

  it('are the first free ones of their order, whatever was taken and kept before', () => {
    const random = SeededGenerator.of(1, 'names');
    const one = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
    const places = ['a.png', 'A.png', 'b', 'a.png~2', 'a.png~3.png', 'ΑΣ.png', 'x/a.png', 'b~10', 'a~02'];
    const inputs = ['in 1', 'in 2', 'in 3'];
    for (let round = 0; round < 60; round++) {
      const kept = new Map<string, string>();
      for (let count = random.below(8); count > 0; count--)
        kept.set(`${one(places)}${one(['', '~1', '~2', '~3', '~4', '~6', '~007'])}`, one(inputs));
      const [names, plain] = [new OutputNames(kept), new PlainNames(kept)];
      for (let count = 0; count < 40; count++) {
        const [place, input] = [one(places), one(inputs)];
        expect(names.claim(place, input)).toBe(plain.claim(place, input));
      }
    }
  });

  it('of equal and of kept names are looked at a few times each', () => {
    const k_names = 500;
    const kept = new Map(Array.from({ length: k_names }, (_, at) => [`f.png~${at + 2}`, `in ${at}`]));
    kept.set('f', 'other').set('f.png', 'other');
    const looks = vi.spyOn(String.prototype, 'normalize');
    try {
      const names = new OutputNames(kept);
      // Those that come again get theirs; a new one comes after all of them.
      for (let at = k_names - 1; at >= 0; at--)
        expect(names.claim('f.png', `in ${at}`)).toBe(`f.png~${at + 2}`);
      for (let at = 0; at < k_names; at++)
        expect(names.claim('f.png', 'new')).toBe(`f.png~${k_names + 2 + at}`);
      expect(looks.mock.calls.length).toBeLessThan(20 * k_names);
    } finally {
      looks.mockRestore();
    }
  });

  it('of very many characters are cut once', () => {
    const k_many = 150_000;
    const cut = claimAll('ü'.repeat(k_many), `${'.'.repeat(k_many)}x`, `${'\u{1f600}'.repeat(k_many)}. .`);
    expect(cut).toEqual(['ü'.repeat(90), '.'.repeat(180), '\u{1f600}'.repeat(45)]);
    expect(claimAll('end. . ')).toEqual(['end____']);
  });
});

/** As the names are defined: each is the first of its candidates that is free. */
class PlainNames {
  readonly #taken = new Set<string>();
  readonly #kept: Map<string, string>;
  constructor(kept: ReadonlyMap<string, string>) {
    this.#kept = new Map([...kept].map(([name, input]) => [foldedOf(name), input]));
  }

  claim(whole: string, input: string): string {
    const isFree = (name: string) =>
      !this.#taken.has(foldedOf(name)) && (this.#kept.get(foldedOf(name)) ?? input) === input;
    const names = [whole.replace(/\.[^./]+$/, ''), whole];
    for (let count = 2; !names.some(isFree); count++) names.push(`${whole}~${count}`);
    const name = names.find(isFree)!;
    this.#taken.add(foldedOf(name));
    return name;
  }
}

const foldedOf = (name: string) => name.normalize('NFC').toLowerCase();
