/** COCO's file as it is streamed: the same as made at once, however long. */
import { existsSync, readdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { coco } from '../../../src/sinks/coco.js';
import { type CocoFile, outlinesToCoco } from '../../../src/sinks/outline-files.js';
import { writeWholly } from '../../../src/sinks/result-writer.js';

const base = { score: 1, anomalous: null, threshold: null, model: 'toy@1' };
const box = { x: 1, y: 2, width: 3, height: 4, area: 12, peak: 0.5 };
const outer = [
  [1, 2],
  [4, 2],
  [4, 6],
  [1, 6],
] as const;

it.each([0, 1, 5000])('of %i pictures is what it would be at once', async (count) => {
  const stream = new PassThrough();
  const whole = text(stream);
  const writer = coco(stream);
  const names = Array.from({ length: count }, (_, at) => `picture "${at}"\n.png`);
  for (const [index, input] of names.entries()) {
    const regions = [
      { ...box, mean: 0.4, outline: outer.flat() },
      { ...box, mean: 0.4, outline: outer.flat() },
    ];
    await writer.write({ ...base, input, index, width: 8, height: 9, regions });
    await writer.write({ input: 'broken', index, error: { code: 'E_IMAGE_DECODE', message: 'no' } });
  }
  await writer.end();
  stream.end();
  const outlines = [
    { ...box, outer: [...outer], holes: [] },
    { ...box, outer: [...outer], holes: [] },
  ];
  const pictures = names.map((name) => ({ name, width: 8, height: 9, outlines }));
  expect(JSON.parse(await whole) as CocoFile).toEqual(outlinesToCoco(pictures));
});

const k_openFiles = '/proc/self/fd';
it.runIf(existsSync(k_openFiles))('leaves no file open where a row has no outlines', async () => {
  const stream = new PassThrough();
  stream.resume();
  const regions = [{ ...box, mean: 0.4, outline: outer.flat() }];
  const row = { ...base, input: 'a'.repeat(100), index: 0, width: 8, height: 9, regions };
  const before = readdirSync(k_openFiles).length;
  const writer = coco(stream);
  const work = writeWholly(writer, async () => {
    for (let at = 0; at < 1000; at++) await writer.write(row);
    expect(readdirSync(k_openFiles).length).toBe(before + 1);
    await writer.write({ ...row, regions: null });
  });
  await expect(work).rejects.toMatchObject({ code: 'E_USAGE' });
  expect(readdirSync(k_openFiles).length).toBe(before);
});
