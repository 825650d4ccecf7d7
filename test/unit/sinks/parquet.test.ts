/** Results as Parquet: read back by the reader of the same authors; by pyarrow and DuckDB in test/cli/parquet.test.ts. */
import { PassThrough } from 'node:stream';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { describe, expect, it } from 'vitest';
import { parquet } from '../../../src/sinks/parquet.js';
import { columns } from '../../../src/sinks/parquet-columns.js';
import type { ResultLine } from '../../../src/sinks/result-line.js';

async function written(lines: Iterable<ResultLine>): Promise<ArrayBuffer> {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const writer = await parquet(stream);
  for (const line of lines) await writer.write(line);
  await writer.end();
  return Uint8Array.from(Buffer.concat(chunks)).buffer;
}

function read(file: ArrayBuffer): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file, compressors });
}

/** A list that is not there comes as undefined. */
function nulls(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? null]));
}

const region = { x: 1, y: 2, width: 3, height: 4, area: 9, peak: 0.75, mean: 0.5 };
const scored = (index: number, more: Partial<ResultLine> = {}): ResultLine => ({
  input: `part ${index} ä.png`,
  index,
  score: 0.1 + index / 7,
  anomalous: null,
  threshold: null,
  width: 40,
  height: 30,
  model: 'crane-mini/0123',
  ...more,
});

describe('results as Parquet', () => {
  it('hold every field of a result, in lists what comes in lists', async () => {
    const rows = await read(
      await written([
        scored(0, {
          anomalous: true,
          threshold: 0.05,
          roi: { x: 4, y: 5, width: 30, height: 20 },
          ignoredPixels: 0,
          backgroundPatches: 7,
          bitDepth: 12,
          valueRange: { low: -1, high: 4 },
          warnings: [{ kind: 'constant', message: 'all pixels are equal' }],
          regions: [region, { ...region, x: 8 }],
          map: 'a.map.npy',
          heatmap: 'a.heat.jpg',
          ms: { decode: 1.25, preprocess: 2, forward: 3, postprocess: 4 },
        }),
        scored(1, { regions: [] }),
        { input: 'bad', index: 2, error: { code: 'E_IMAGE_DECODE', message: 'no picture', hint: 'none' } },
      ]),
    );
    expect(rows[0]).toEqual({
      input: 'part 0 ä.png',
      index: 0n,
      score: 0.1,
      anomalous: true,
      threshold: 0.05,
      width: 40,
      height: 30,
      bit_depth: 12,
      value_low: -1,
      value_high: 4,
      warnings: [{ kind: 'constant', message: 'all pixels are equal' }],
      regions: [region, { ...region, x: 8 }],
      map: 'a.map.npy',
      heatmap: 'a.heat.jpg',
      model: 'crane-mini/0123',
      ms_decode: 1.25,
      ms_preprocess: 2,
      ms_forward: 3,
      ms_postprocess: 4,
      error_code: null,
      error_message: null,
      error_hint: null,
      roi_x: 4,
      roi_y: 5,
      roi_width: 30,
      roi_height: 20,
      ignored_pixels: 0n,
      background_patches: 7n,
    });
    expect(nulls(rows[1]!)).toMatchObject({ roi_x: null, roi_height: null, ignored_pixels: null });
    expect(rows[1]).toMatchObject({ regions: [], anomalous: null, score: 0.1 + 1 / 7 });
    expect(rows[1]!['warnings'] ?? null).toBeNull();
    expect(nulls(rows[2]!)).toEqual({
      ...Object.fromEntries(columns.map(({ name }) => [name, null])),
      input: 'bad',
      index: 2n,
      error_code: 'E_IMAGE_DECODE',
      error_message: 'no picture',
      error_hint: 'none',
    });
  });

  it('part into row groups of bounded size, and say their version', async () => {
    const file = await written(Array.from({ length: 45_000 }, (_, index) => scored(index)));
    const { row_groups, key_value_metadata } = parquetMetadata(file);
    expect(row_groups.map(({ num_rows }) => num_rows)).toEqual([20_000n, 20_000n, 5_000n]);
    expect(row_groups[0]!.columns.map(({ meta_data }) => meta_data!.codec)).toEqual(
      row_groups[0]!.columns.map(() => 'ZSTD'),
    );
    expect(key_value_metadata).toEqual([{ key: 'crane-native.table', value: '1' }]);
    const rows = await read(file);
    expect(rows.map(({ index }) => Number(index))).toEqual(rows.map((_, at) => at));
  });

  it('a group ends early where its rows hold much', async () => {
    const heavy = scored(0, { regions: Array.from({ length: 200_000 }, () => region) });
    const { row_groups } = parquetMetadata(await written([heavy, heavy, scored(2)]));
    expect(row_groups.map(({ num_rows }) => num_rows)).toEqual([2n, 1n]);
  });

  it('of no rows are a table all the same', async () => {
    expect(await read(await written([]))).toEqual([]);
  });

  it('are refused to a terminal', async () => {
    await expect(parquet(Object.assign(new PassThrough(), { isTTY: true }))).rejects.toMatchObject({
      code: 'E_USAGE',
    });
  });
});
