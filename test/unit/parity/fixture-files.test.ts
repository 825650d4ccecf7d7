import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { addToValue } from '../../parity/disturb/weight-file.js';
import { halfBits, halfTable } from '../../parity/fixture/float16.js';
import { FixtureFolder } from '../../parity/fixture/folder.js';
import { SafetensorsFile } from '../../parity/fixture/safetensors.js';

const root = mkdtempSync(join(tmpdir(), 'crane-fixtures-'));
afterAll(() => rmSync(root, { recursive: true }));

function write(
  name: string,
  tensors: Record<string, { dtype: string; shape: number[]; bytes: Buffer }>,
): string {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [key, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[key] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify({ __metadata__: { made: 'here' }, ...header }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(root, name);
  writeFileSync(path, Buffer.concat([length, json, ...Object.values(tensors).map(({ bytes }) => bytes)]));
  return path;
}

const bytesOf = (array: Float32Array | Uint16Array | BigInt64Array) => Buffer.from(array.buffer);

describe('SafetensorsFile', () => {
  it('reads every type of the fixtures', () => {
    const path = write('types.safetensors', {
      f32: { dtype: 'F32', shape: [2], bytes: bytesOf(Float32Array.of(1.5, -2)) },
      f16: { dtype: 'F16', shape: [3], bytes: bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x0001)) },
      i64: { dtype: 'I64', shape: [1], bytes: bytesOf(BigInt64Array.of(-7n)) },
      u8: { dtype: 'U8', shape: [2], bytes: Buffer.of(1, 255) },
      scalar: { dtype: 'F32', shape: [], bytes: bytesOf(Float32Array.of(4)) },
    });
    const file = new SafetensorsFile(path);
    expect(file.names()).toEqual(['f16', 'f32', 'i64', 'scalar', 'u8']);
    expect(Array.from(file.read('f32').data)).toEqual([1.5, -2]);
    expect(Array.from(file.read('f16').data)).toEqual([1, -2, 2 ** -24]);
    expect(Array.from(file.read('i64').data)).toEqual([-7]);
    expect(Array.from(file.read('u8').data)).toEqual([1, 255]);
    expect(file.read('scalar').shape).toEqual([]);
    expect(() => file.read('none')).toThrow('no tensor "none"');
  });

  it('refuses a tensor that does not fit its bytes', () => {
    const path = write('short.safetensors', { a: { dtype: 'F32', shape: [3], bytes: Buffer.alloc(8) } });
    expect(() => new SafetensorsFile(path)).toThrow('does not fit');
  });
});

describe('halves', () => {
  it('every half survives a round trip', () => {
    const wrong = Array.from(halfTable(), (value, bits) =>
      Number.isNaN(value) || halfBits(value) === bits ? -1 : bits,
    );
    expect(wrong.filter((bits) => bits >= 0)).toEqual([]);
  });

  it('rounds to the nearest half, ties to even', () => {
    expect(halfBits(1 + 2 ** -11)).toBe(0x3c00);
    expect(halfBits(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(halfBits(2 - 2 ** -12)).toBe(0x4000);
    expect(halfBits(65520)).toBe(0x7c00);
  });
});

describe('addToValue', () => {
  it('changes the one value and no other', () => {
    const path = write('disturb.safetensors', {
      a: { dtype: 'F32', shape: [3], bytes: bytesOf(Float32Array.of(1, 2, 3)) },
      b: { dtype: 'F16', shape: [2], bytes: bytesOf(Uint16Array.of(0x3c00, 0x3c00)) },
    });
    addToValue(path, 'a', 1, 0.5);
    addToValue(path, 'b', 1, 0.5);
    const file = new SafetensorsFile(path);
    expect(Array.from(file.read('a').data)).toEqual([1, 2.5, 3]);
    expect(Array.from(file.read('b').data)).toEqual([1, 1.5]);
    expect(() => addToValue(path, 'a', 3, 1)).toThrow('no value 3');
  });
});

describe('FixtureFolder', () => {
  it('tells which files nobody claimed', () => {
    const below = join(root, 'folder', 'toy');
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, 'cases.json'), '{"a":1}');
    writeFileSync(join(below, 'stray.bin'), '');
    const folder = new FixtureFolder(join(root, 'folder'));
    expect(folder.json('toy/cases.json')).toEqual({ a: 1 });
    expect(folder.unclaimed()).toEqual(['toy/stray.bin']);
    expect(() => folder.claim('toy/none')).toThrow('not in');
  });

  it('refuses a folder that is not there', () => {
    expect(() => new FixtureFolder(join(root, 'none'))).toThrow('CRANE_PARITY');
  });
});
