import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
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
});
