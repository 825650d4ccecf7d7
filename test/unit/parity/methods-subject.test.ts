/** The account of a case's keys in the tests of the compared systems: nothing is overlooked, and each tolerance holds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { NativeAddon } from '../../../src/addon/native.js';
import { Subject } from '../../methods/fixture/subject.js';
import { tokenEmbedding } from '../../methods/fixture/token-embedding.js';
import { SafetensorsFile } from '../../parity/fixture/safetensors.js';
import { CaseReport } from '../../parity/report/case-report.js';

const folder = mkdtempSync(join(tmpdir(), 'crane-subject-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(
  name: string,
  tensors: Record<string, { dtype: 'F32' | 'U8'; shape: number[]; data: number[] }>,
) {
  const parts: Buffer[] = [];
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [tensor, { dtype, shape, data }] of Object.entries(tensors)) {
    const bytes = dtype === 'U8' ? Buffer.from(data) : Buffer.from(Float32Array.from(data).buffer);
    header[tensor] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([length, text, ...parts]));
  return new SafetensorsFile(path);
}

const f32 = (...data: number[]) => ({ dtype: 'F32' as const, shape: [data.length], data });
const files = { weights: '', tokens: '' };

function subject(manifest: Record<string, object>, onCompared?: () => void) {
  const report = new CaseReport('case');
  const of = {
    name: 'system',
    system: 'system',
    className: undefined,
    backbone: { files, heads: { vision: 1, text: 1 } },
    manifest,
    expected: write('expected', { map: f32(0, 1), ids: f32(3, 4), told: f32(7), other: f32(5) }),
    inputs: write('inputs', {
      image_u8: { dtype: 'U8', shape: [2, 1, 2, 3], data: [0, 0, 255, 255, 0, 0, 1, 2, 3, 4, 5, 6] },
    }),
    trainable: undefined,
  };
  const made = new Subject(of as never, {
    addon: {} as NativeAddon,
    report,
    ...(onCompared ? { onCompared } : {}),
  });
  return { made, report };
}

const manifest = {
  map: { shape: [2], tol: 0.1 },
  ids: { shape: [2], exact: true },
  told: { shape: [1], tol: null },
  other: { shape: [1], tol: 1e-3 },
};

describe('a case', () => {
  it('passes when every key is within its tolerance or has a reason', () => {
    const { made, report } = subject(manifest);
    made.compare('map', [0.05, 0.95]);
    made.compare('ids', { shape: [2], data: [3, 4] });
    made.notCompared('other', 'why');
    made.finish();
    expect(report.passed).toBe(true);
    expect(report.worstRatio).toBeCloseTo(0.5);
    expect(report.skipped.map(({ key }) => key).sort()).toEqual(['other', 'told']);
  });

  it.each([
    ['a value is outside', 'map', [0, 1.2]],
    ['a whole number differs', 'ids', [3, 5]],
    ['a shape is another one', 'map', { shape: [1, 2], data: [0, 1] }],
    ['the engine gave nothing', 'map', undefined],
    ['a value is NaN', 'map', [Number.NaN, 1]],
  ])('fails when %s', (_what, key, got) => {
    let told = 0;
    const { made, report } = subject(manifest, () => told++);
    made.compare(key, got);
    expect(report.passed).toBe(false);
    expect(told).toBe(1);
  });

  it('fails for a key that nothing compared, and where manifest and file differ', () => {
    const { other: _, ...lacking } = manifest;
    const { made, report } = subject({ ...lacking, more: { shape: [1], tol: 1 } });
    made.compare('map', [0, 1]);
    made.finish();
    expect(report.faults).toEqual([
      'unknown key "ids": nothing compared it',
      '"other" is not in the manifest',
      'unknown key "other": nothing compared it',
      '"more" of the manifest is not in expected.safetensors',
    ]);
  });

  it('gives pictures normalised, by channels', () => {
    const { input, shape } = subject(manifest).made.batch('image_u8', [0]);
    expect(shape).toEqual({ batch: 1, height: 1, width: 2 });
    const [mean, std] = [0.48145466, 0.26862954];
    expect(input[0]).toBeCloseTo(-mean / std);
    expect(input[1]).toBeCloseTo((1 - mean) / std);
    expect(input[4]).toBeCloseTo((1 - 0.40821073) / 0.27577711);
  });
});

it('the token embedding is the one of the README', () => {
  const path = join(folder, 'tokens');
  writeFileSync(path, tokenEmbedding(1101, 64));
  const { shape, data } = new SafetensorsFile(path).read('token_embedding.weight');
  expect(shape).toEqual([49408, 64]);
  expect([data[0], data[343 * 64 + 1], data[49407 * 64 + 63]]).toEqual(
    [-0.0768722221, 0.00271863397, -0.0211023558].map((value) => expect.closeTo(value, 9)),
  );
});
