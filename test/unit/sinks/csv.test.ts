import { PassThrough, Writable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { csv } from '../../../src/sinks/csv.js';
import type { ResultLine } from '../../../src/sinks/result-line.js';

async function written(
  lines: readonly ResultLine[],
  stream = new PassThrough(),
): Promise<Record<string, string>[]> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const writer = csv(stream);
  for (const line of lines) await writer.write(line);
  await writer.end();
  return parse(Buffer.concat(chunks), { columns: true });
}

it('has a column for every field of a result, and nothing of a row goes without a word', async () => {
  const region = { x: 1, y: 2, width: 3, height: 4, area: 9, peak: 0.75, mean: 0.5 };
  const warnings = [{ kind: 'constant' as const, message: 'all pixels are "equal"' }];
  const [full, failed] = await written([
    {
      input: 'a, "b".png',
      index: 3,
      score: 0.5,
      anomalous: true,
      threshold: 0.25,
      width: 40,
      height: 30,
      roi: { x: 4, y: 5, width: 30, height: 20 },
      ignoredPixels: 0,
      backgroundPatches: 7,
      bitDepth: 12,
      valueRange: { low: -1, high: 4 },
      warnings,
      regions: [region],
      map: 'a.map.npy',
      heatmap: 'a.heat.jpg',
      model: 'crane-mini@0123',
      ms: { decode: 1.25, preprocess: 2, forward: 3, postprocess: 4 },
    },
    { input: 'bad', index: 4, error: { code: 'E_IMAGE_DECODE', message: 'no picture', hint: 'none' } },
  ]);
  expect(full).toEqual({
    input: 'a, "b".png',
    index: '3',
    score: '0.5',
    anomalous: 'true',
    threshold: '0.25',
    width: '40',
    height: '30',
    regions: JSON.stringify([region]),
    map: 'a.map.npy',
    heatmap: 'a.heat.jpg',
    model: 'crane-mini@0123',
    'ms.decode': '1.25',
    'ms.preprocess': '2',
    'ms.forward': '3',
    'ms.postprocess': '4',
    'error.code': '',
    'error.message': '',
    'roi.x': '4',
    'roi.y': '5',
    'roi.width': '30',
    'roi.height': '20',
    ignoredPixels: '0',
    backgroundPatches: '7',
    bitDepth: '12',
    'valueRange.low': '-1',
    'valueRange.high': '4',
    warnings: JSON.stringify(warnings),
    'error.hint': '',
  });
  const set = Object.entries(failed!).filter(([, value]) => value !== '');
  expect(Object.fromEntries(set)).toEqual({
    input: 'bad',
    index: '4',
    'error.code': 'E_IMAGE_DECODE',
    'error.message': 'no picture',
    'error.hint': 'none',
  });
});

it('ends where its stream fails, at a row that waits or at the end, and nowhere else', async () => {
  const row: ResultLine = { input: 'x'.repeat(1000), index: 0, error: { code: 'E_INTERNAL', message: 'y' } };
  const failing = () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('full')) });
    stream.on('error', () => {});
    return stream;
  };
  const many = csv(failing());
  const writeAll = async () => {
    for (let at = 0; at < 10_000; at++) await many.write(row);
  };
  await expect(writeAll()).rejects.toThrow('full');
  const few = csv(failing());
  await few.write(row);
  // What nobody waits for yet is no unhandled rejection.
  await new Promise((resolve) => setTimeout(resolve, 10));
  await expect(few.end()).rejects.toThrow('full');
});

it('keeps names as they are, and steers no terminal', async () => {
  const input = '=HYPERLINK("http://x","y")\u001b[2J.png';
  const line = {
    input,
    index: 0,
    error: { code: 'E_IMAGE_DECODE', message: `${input}: no picture` },
  } as const;
  expect((await written([line]))[0]).toMatchObject({ input });
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const [row] = await written([line], terminal);
  expect(row!['input']).toBe(input.replace('\u001b', '\ufffd'));
  expect(row!['error.message']).not.toContain('\u001b');
});
