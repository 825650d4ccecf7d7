/** Damaged manifests, in Parquet and in JSON: each is refused with its code or gives the rows that it holds, and nothing else happens. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readManifest } from '../../src/sources/manifest.js';
import { root } from '../cli/crane-native.js';
import { makeToyFolder } from '../unit/engine/toy-model.js';
import { isFull, numbersFrom } from './faults.js';
import { forgeParquet, type Place, shifts, sound, soundRows } from './forged-parquet.js';

// Thousands of small files: what they take is the machine's business.
vi.setConfig({ testTimeout: 300_000 });

const tables = join(root, 'test', 'fire', 'corpus', 'parquet');
let folder: string;
beforeAll(async () => {
  folder = await makeToyFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The rows, or the code. */
async function outcome(bytes: Uint8Array, ending: 'parquet' | 'jsonl'): Promise<unknown> {
  const path = join(folder, `damaged.${ending}`);
  await writeFile(path, bytes);
  try {
    const rows: object[] = [];
    for await (const row of readManifest(path)) rows.push(row);
    return rows;
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? `without a code: ${thrown}`;
  }
}

const isSound = (given: unknown, rows: readonly object[]) => JSON.stringify(given) === JSON.stringify(rows);

/** What must not happen to a damaged table of these rows. */
function objection(given: unknown, rows: readonly object[]): string | undefined {
  return given === 'E_DATA_META' || isSound(given, rows) ? undefined : JSON.stringify(given).slice(0, 300);
}

it('tables of other programs are read', async () => {
  const names = (await readdir(tables)).sort();
  for (const name of names.filter((each) => !/null|required/.test(each))) {
    const rows = (await outcome(await readFile(join(tables, name)), 'parquet')) as object[];
    expect(rows, name).toHaveLength(12);
    expect(rows.slice(2, 5), name).toEqual([
      { uri: 'pictures/02 ü.png', id: 'part 2' },
      { uri: 'pictures/03 ü.png', className: 'cable' },
      { uri: 'pictures/04 ü.png', id: 'part 4', className: 'screw' },
    ]);
  }
  expect(await outcome(await readFile(join(tables, 'null.parquet')), 'parquet')).toEqual([{ uri: 'a' }]);
  expect(await outcome(await readFile(join(tables, 'required.parquet')), 'parquet')).toEqual([
    { uri: 'a' },
    { uri: 'b' },
  ]);
});

it('each number of a table is what it must not be', async () => {
  expect(await outcome(forgeParquet(), 'parquet')).toEqual(soundRows);
  const numbers = [-(2 ** 31), -2, -1, 0, 1, 2, 3, 4, 7, 8, 9, 31, 255, 2 ** 16, 2 ** 24 + 1, 2 ** 31 - 1];
  const places = [...(Object.keys(sound) as Place[]), ...shifts];
  const bad: string[] = [];
  let [tried, refused] = [0, 0];
  for (const place of places) {
    for (const number of numbers) {
      if (number === (sound as Record<string, number>)[place]) continue;
      const given = await outcome(forgeParquet({ [place]: number }), 'parquet');
      const why = objection(given, soundRows);
      // Bits that say which row has which class make another table, which is as good.
      if (why && !/^class_(levels|index|index_run)$/.test(place)) bad.push(`${place} ${number}: ${why}`);
      tried++;
      if (given === 'E_DATA_META') refused++;
    }
  }
  expect(bad).toEqual([]);
  expect(refused).toBeGreaterThan(400);
  console.log(`${tried} tables with a wrong number: ${refused} refused`);
});

it('small tables that claim to be large are refused before they are', async () => {
  const before = process.resourceUsage().maxRSS;
  const claims: Partial<Record<Place, number>>[] = [
    { class_levels_run: 2 ** 32 - 2 },
    { class_levels_run: 2 ** 32 - 1 },
    { class_index_run: 2 ** 32 - 2 },
    { class_index_run: 2 ** 31 - 1 },
    {
      class_page_values: 2 ** 31 - 1,
      class_num_values: 2 ** 31 - 1,
      group_rows: 2 ** 31 - 1,
      num_rows: 2 ** 31 - 1,
    },
    { uri_page_values: 2 ** 23, uri_num_values: 2 ** 23, group_rows: 2 ** 23, num_rows: 2 ** 23 },
    { words_values: 2 ** 31 - 1 },
    { uri_page_bytes: 2 ** 31 - 200 },
    { uri_chunk_bytes: 2 ** 40 },
    { uri_codec: 1, uri_page_bytes: 2 ** 31 - 200 },
    { uri_codec: 2, uri_page_bytes: 2 ** 31 - 200 },
    { uri_codec: 4, uri_page_bytes: 2 ** 31 - 200 },
    { uri_codec: 6, uri_page_bytes: 2 ** 31 - 200 },
    { uri_codec: 7, uri_page_bytes: 2 ** 31 - 200 },
  ];
  for (const claim of claims)
    expect(await outcome(forgeParquet(claim), 'parquet'), JSON.stringify(claim)).toBe('E_DATA_META');
  expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(100);
});

it('columns that are named twice, otherwise or without text', async () => {
  for (const names of [
    ['uri', 'uri'],
    ['class', 'class'],
  ])
    expect(await outcome(forgeParquet({}, { names }), 'parquet')).toBe('E_DATA_META');
  expect(await outcome(forgeParquet({}, { paths: ['uri', 'clbss'] }), 'parquet')).toBe('E_DATA_META');
  expect(
    await outcome(forgeParquet({}, { names: ['uri', 'clbss'], paths: ['uri', 'class'] }), 'parquet'),
  ).toBe('E_DATA_META');
  expect(await outcome(forgeParquet({}, { names: ['url', 'class'] }), 'parquet')).toBe('E_DATA_META');
  // Others are the table's own.
  expect(await outcome(forgeParquet({}, { names: ['uri', 'weight'] }), 'parquet')).toEqual(
    soundRows.map(({ uri }) => ({ uri })),
  );
});

it('every truncation and every single bit of a table with checksums', async () => {
  const whole = forgeParquet();
  const bad: string[] = [];
  for (let length = 0; length < whole.length; length++)
    if ((await outcome(whole.subarray(0, length), 'parquet')) !== 'E_DATA_META') bad.push(`cut at ${length}`);
  let refused = 0;
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const copy = Buffer.from(whole);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    const given = await outcome(copy, 'parquet');
    const why = objection(given, soundRows);
    if (why) bad.push(`bit ${bit & 7} of byte ${bit >> 3}: ${why}`);
    if (given === 'E_DATA_META') refused++;
  }
  expect(bad).toEqual([]);
  expect(refused).toBeGreaterThan(1000);
  console.log(
    `${whole.length} truncations, ${8 * whole.length} bits of a table: ${refused} of the bits refused`,
  );
});

it('tables of other programs, damaged at several places', async () => {
  const random = numbersFrom(7);
  const codes = new Map<string, number>();
  const before = process.resourceUsage().maxRSS;
  const each = isFull ? 2000 : 60;
  for (const name of (await readdir(tables)).sort()) {
    const whole = await readFile(join(tables, name));
    for (let i = 0; i < each; i++) {
      const copy = Buffer.from(whole);
      // Behind the pages stands what says where they are.
      const from = i % 2 === 0 ? 0 : Math.floor(copy.length / 2);
      for (let hits = 1 + Math.floor(random() * 3); hits > 0; hits--) {
        const at = from + Math.floor(random() * (copy.length - from));
        if (i % 3 === 0) copy[at]! ^= 1 << Math.floor(random() * 8);
        else copy[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff][Math.floor(random() * 6)]!;
      }
      const given = await outcome(copy, 'parquet');
      const code = Array.isArray(given) ? `read ${given.length}` : String(given);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  }
  console.log([...codes].map(([code, count]) => `${code} ${count}`).join(', '));
  // Without checksums a letter may be another one; a row never comes or goes.
  expect([...codes.keys()].filter((code) => !/^(E_DATA_META|read (12|1|2))$/.test(code))).toEqual([]);
  expect(codes.get('E_DATA_META')).toBeGreaterThan(each);
  expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(300);
}, 600_000);
