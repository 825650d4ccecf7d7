/** A submission and its parts as somebody may have left them in a store: what does not hold is named. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ResultLine } from '../../../src/sinks/result-line.js';
import { LocalStore } from '../../../src/stores/local-store.js';
import { commitPart } from '../../../src/work/chunk-jobs.js';
import { mergeSubmission } from '../../../src/work/merge-submission.js';
import { places, type Submission } from '../../../src/work/submission.js';
import { pins, rowOf, settings } from './tiny-work.js';

const id = 'a'.repeat(32);
const [first, second] = ['1'.repeat(32), '2'.repeat(32)] as const;

const pictures = [{ uri: 'a' }, { uri: 'b' }];

let store: LocalStore;
beforeEach(async () => {
  store = new LocalStore(await mkdtemp(join(tmpdir(), 'crane-merge-')));
});
afterEach(() => rm(store.address, { recursive: true }));

const submit = (change: Partial<Submission> = {}) => {
  const sha256 = createHash('sha256').update('a\0b\0c\0').digest('hex');
  return store.write(
    places.submission(id),
    JSON.stringify({
      format: 'crane-native submission',
      version: 1,
      settings,
      inputs: { count: 3, sha256 },
      chunks: [
        { key: first, count: 2 },
        { key: second, count: 1 },
      ],
      ...change,
    }),
  );
};

async function merge(): Promise<ResultLine[]> {
  const rows: ResultLine[] = [];
  const writer = { write: async (line: ResultLine) => void rows.push(line), end: async () => {} };
  await mergeSubmission(store, id, async () => writer);
  return rows;
}

it('refuses rows of one label that two thresholds judged', async () => {
  await submit();
  const judged = rowOf('c', 0).replace('"threshold":null', '"threshold":0.5');
  await commitPart(store, first, [rowOf('a', 0), rowOf('b', 1)], pins, pictures);
  await commitPart(store, second, [judged], pins, pictures);
  await expect(merge()).rejects.toMatchObject({
    code: 'E_SHARDS',
    message: expect.stringMatching(/c was judged by threshold 0\.5, others of tiny@1 by no threshold/),
  });
});

/** The part's own bytes, with a record that fits them. */
async function replacePart(chunk: string, text: string): Promise<void> {
  const name = (await readdir(join(store.address, 'parts'))).find(
    (each) => each.startsWith(chunk) && each.endsWith('.jsonl'),
  )!;
  await store.write(places.part(name), text);
  const record = JSON.parse(Buffer.from(await store.read(places.done(chunk))).toString());
  const sha256 = createHash('sha256').update(text).digest('hex');
  await store.write(
    places.done(chunk),
    JSON.stringify({ ...record, bytes: Buffer.byteLength(text), sha256 }),
  );
}

describe('a submission', () => {
  beforeEach(async () => {
    await commitPart(store, first, [rowOf('a', 0), rowOf('b', 1)], pins, pictures);
    await commitPart(store, second, [rowOf('c', 0)], pins, pictures);
    await submit();
  });

  it('is merged in the order of its chunks', async () => {
    expect((await merge()).map(({ input, index }) => [input, index])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
  });

  it.each<[string, object, RegExp | undefined]>([
    ['a picture like the others', {}, /parts\/2{32}\..*: c is of tiny@2, expected tiny@1/],
    ['one with a class of its own', { className: 'bolt' }, undefined],
    ['two of one class, of two labels', { className: 'nut' }, /c is of tiny@2, expected tiny@3/],
  ])('with a row of another label: %s', async (_what, own, message) => {
    await replacePart(first, [rowOf('a', 0), rowOf('b', 1).replace('tiny@1', 'tiny@3')].join('\n'));
    await replacePart(second, rowOf('c', 0).replace('tiny@1', 'tiny@2'));
    const chunkOf = (...lines: object[]) => lines.map((line) => JSON.stringify(line)).join('\n');
    await store.write(places.chunk(first), chunkOf({ uri: 'a' }, { uri: 'b', className: 'nut' }));
    await store.write(places.chunk(second), chunkOf({ uri: 'c', ...own }));
    if (message === undefined) expect(await merge()).toHaveLength(3);
    else {
      await expect(merge()).rejects.toMatchObject({
        code: 'E_SHARDS',
        message: expect.stringMatching(message),
        hint: expect.stringContaining('--again'),
      });
    }
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    ['no chunks', () => submit({ chunks: [], inputs: { count: 0, sha256: '0'.repeat(64) } }), /chunks/],
    ['a part of no JSON', () => replacePart(first, 'a\nb\n'), /line 1 is no result: no JSON/],
    [
      'a row of a part that is null',
      () => replacePart(first, `${rowOf('a', 0)}\nnull\n`),
      /line 2 is no result/,
    ],
    ['an empty line in a part', () => replacePart(first, `${rowOf('a', 0)}\n\n`), /line 2 is no result/],
    ['a row without its picture', () => replacePart(second, '{"index":0}\n'), /line 1 is no result: .*input/],
    ['an empty part', () => replacePart(first, ''), /0 rows, expected 2/],
    [
      'a row more, and its record one less',
      () => replacePart(second, `${rowOf('c', 0)}\n${rowOf('d', 1)}\n`),
      /2 rows, expected 1/,
    ],
  ])('with %s is refused, and told', async (_what, plant, message) => {
    await plant();
    await expect(merge()).rejects.toMatchObject({
      code: 'E_SHARDS',
      message: expect.stringMatching(message),
    });
  });
});
