import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../../src/files/npy.js';
import { noteKinds } from '../../../src/images/samples.js';
import { Journal, type JournalLine } from '../../../src/runs/journal.js';
import { mapFile } from '../../../src/sinks/map-file.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane journal '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const line = (index: number): JournalLine => ({
  set: 0,
  index,
  score: 0.1 + index / 3,
  mapMax: 0.5,
  width: 3,
  height: 4,
  model: 'töy@1',
});

describe('the journal of a test', () => {
  it('goes on behind the last whole line, however often a process is killed within one', async () => {
    const path = join(folder, 'state', 'killed.jsonl');
    for (let index = 0; index < 3; index++) {
      const journal = await Journal.open(path);
      expect(journal.size).toBe(index);
      await journal.append(line(index));
      await journal.close();
      await appendFile(path, JSON.stringify(line(9)).slice(0, 70));
    }
    const journal = await Journal.open(path);
    expect([0, 1, 2, 9].map((index) => journal.find(0, index))).toEqual([
      line(0),
      line(1),
      line(2),
      undefined,
    ]);
    expect(journal.find(1, 0)).toBeUndefined();
    await journal.close();
  });

  it('reads lines of earlier versions, which have no checksum, beside those that have one', async () => {
    const path = join(folder, 'earlier.jsonl');
    await writeFile(path, `${JSON.stringify(line(0))}\n`);
    const journal = await Journal.open(path);
    await journal.append(line(1));
    await journal.close();
    const again = await Journal.open(path);
    expect([0, 1].map((index) => again.find(0, index))).toEqual([line(0), line(1)]);
    await again.close();
  });

  it('names a line of which a digit was changed', async () => {
    const path = join(folder, 'digit.jsonl');
    const journal = await Journal.open(path);
    for (const index of [0, 1]) await journal.append(line(index));
    await journal.close();
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('0.4333', '0.4334'));
    await expect(Journal.open(path)).rejects.toMatchObject({
      code: 'E_IO_READ',
      message: expect.stringContaining('line 2 is no result, or was changed'),
    });
  });

  it('reads back every field of a line', async () => {
    const path = join(folder, 'fields.jsonl');
    const full: Required<JournalLine> = {
      ...line(0),
      backgroundPatches: 0,
      mapCrc32: 2 ** 32 - 1,
      warnings: noteKinds.map((kind) => ({ kind, message: 'is odd', bits: 12 })),
    };
    const journal = await Journal.open(path);
    await journal.append(full);
    await journal.close();
    const again = await Journal.open(path);
    expect(again.find(0, 0)).toEqual(full);
    await again.close();
  });

  it.each([
    '{"set":0}',
    'nonsense',
    '[]',
    'null',
    JSON.stringify({ ...line(1), unheardOf: 1 }),
    JSON.stringify({ ...line(1), backgroundPatches: '4' }),
    `{"crc32":1,"line":${JSON.stringify(line(1))}}`,
    `{"crc32":${crc32(JSON.stringify(line(1)))},"line":${JSON.stringify(line(2))}}`,
    `{"crc32":${crc32('7')},"line":7}`,
    '{"crc32":0,"line":',
  ])('names a line that is no result: %s', async (text) => {
    const path = join(folder, 'bad.jsonl');
    await writeFile(path, `${JSON.stringify(line(0))}\n${text}\n`);
    await expect(Journal.open(path)).rejects.toMatchObject({
      code: 'E_IO_READ',
      message: expect.stringContaining('line 2 is no result'),
    });
  });
});

describe('a map on the disk', () => {
  const map = { data: Float32Array.of(0, 0.1, 1, 1e-30, 0.5, 0.25), width: 3, height: 2 };

  it('is read back to the last bit', async () => {
    const path = join(folder, 'map.npy');
    await writeFile(path, Buffer.concat(await mapFile(map as Parameters<typeof mapFile>[0], 'npy')));
    expect(await readNpy(path)).toEqual(map);
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -4)],
    ['longer than it says', (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(-4)])],
    ['empty', () => Buffer.alloc(0)],
    [
      'of another kind',
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('f4', 'f8'), 'latin1'),
    ],
  ])('is refused when it is %s', async (_what, change) => {
    const path = join(folder, 'bad.npy');
    await writeFile(path, change(Buffer.concat(await mapFile(map as Parameters<typeof mapFile>[0], 'npy'))));
    await expect(readNpy(path)).rejects.toMatchObject({ code: 'E_IO_READ' });
  });
});
