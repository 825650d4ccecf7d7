/** Lines of results as they are read again: parted by line breaks alone, and as they were written or not at all. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keptFiles } from '../../../src/sinks/kept-files.js';
import { resultRows } from '../../../src/sinks/result-rows.js';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane-rows-'));
  path = join(folder, 'results.jsonl');
});
afterAll(() => rm(folder, { recursive: true }));

// A line of its own for readers that part lines as Unicode does.
const odd = 'a\u2028b\u2029c\u0085.png';
const failed = (input: string, index: number) => ({
  input,
  index,
  error: { code: 'E_IMAGE_DECODE', message: 'x' },
});
const scored = (input: string, index: number) => ({
  ...{ input, index, score: 0.5, anomalous: null, threshold: null, width: 4, height: 3 },
  ...{ map: `${input.slice(0, -4)}.map.npy`, model: 'toy@1' },
});

async function read(): Promise<[string, number][]> {
  const rows: [string, number][] = [];
  for await (const { row, line } of resultRows(path)) rows.push([row.input, line]);
  return rows;
}

it('come whole whatever characters their names have, the last one without an end too', async () => {
  const lines = [scored(odd, 0), failed('é.png', 1), scored('z.png', 2)];
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join('\n'));
  expect(await read()).toEqual([
    [odd, 1],
    ['é.png', 2],
    ['z.png', 3],
  ]);
  expect(await keptFiles(folder, undefined)).toEqual(
    new Map([
      [odd.slice(0, -4), odd],
      ['z', 'z.png'],
    ]),
  );
});

it('are refused where a byte is none of UTF-8', async () => {
  const bytes = Buffer.from(`${JSON.stringify(failed('z', 0))}\n${JSON.stringify(failed('é', 1))}\n`);
  bytes[bytes.indexOf(0xc3)] = 0xff;
  await writeFile(path, bytes);
  await expect(read()).rejects.toMatchObject({
    code: 'E_SHARDS',
    message: `${path}: line 2 is no result: no UTF-8`,
  });
});
