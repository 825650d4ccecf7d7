import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { runInProcess } from './run-in-process.js';

let folder: string;
let model: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeAll(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(at('toy model'))).folder;
  await mkdir(at('pictures'));
  for (const [each, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries())
    await writePicture(at('pictures', `${name}.png`), 30 * each + 20);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Row = { uri: string; id?: string; class?: string; prompts?: string; normals?: string };
const manifestOf = async (name: string, rows: readonly (Row | object)[]) => {
  await writeFile(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return at(name);
};
const score = (...args: string[]) => runInProcess(['score', '--model', model, '--no-timings', ...args]);
const errorOf = (stderr: string) => JSON.parse(stderr).error as { code: string; message: string };
const rows = (): Row[] => [
  { uri: at('pictures/a.png') },
  { uri: at('pictures/b.png'), id: 'second', prompts: 'other' },
  { uri: at('pictures/c.png'), id: 'third' },
  { uri: at('pictures/d.png'), prompts: 'other' },
  { uri: at('pictures/e.png') },
  { uri: at('pictures/none.png'), id: 'missing' },
];

describe('a manifest', () => {
  it('names pictures, and what is their own decides their results', async () => {
    const run = await score('--manifest', await manifestOf('work.jsonl', rows()));
    expect(run.code).toBe(3);
    const plain = await score(at('pictures/a.png'), at('pictures/c.png'), at('pictures/e.png'));
    const other = await score(at('pictures/b.png'), at('pictures/d.png'), '--prompts', 'other');
    const [a, c, e] = plain.lines();
    // The engine of the tests adds a little for each set of prompts that it holds.
    const [b, d] = other
      .lines()
      .map((line) => ({ ...line, score: expect.closeTo(Number(line['score']), 5) }));
    expect(other.lines()[0]!['model']).not.toBe(a!['model']);
    expect(run.lines().slice(0, 5)).toEqual([
      a,
      { ...b, input: 'second', index: 1 },
      { ...c, input: 'third', index: 2 },
      { ...d, index: 3 },
      { ...e, index: 4 },
    ]);
    expect(run.lines()[5]).toMatchObject({ input: 'missing', error: { code: 'E_INPUT_NOT_FOUND' } });
  });

  it('may be Parquet', async () => {
    const columns = ['uri', 'id', 'prompts'] as const;
    const columnData = columns.map((name) => ({
      name,
      data: rows().map((row) => row[name] ?? null),
      type: 'STRING' as const,
      nullable: true,
    }));
    await writeFile(at('work.parquet'), Buffer.from(parquetWriteBuffer({ columnData })));
    const ofTable = await score('--manifest', at('work.parquet'));
    const ofLines = await score('--manifest', await manifestOf('same.jsonl', rows()));
    expect(ofTable.lines()).toEqual(ofLines.lines());
  });

  it('in shards merges into the rows of one run, and other choices of a row are found', async () => {
    const manifest = await manifestOf('sharded.jsonl', rows());
    const whole = await score('--manifest', manifest);
    for (const shard of ['1/2', '2/2'])
      await score('--manifest', manifest, '--shard', shard, '--out', at('shards'));
    const merged = await runInProcess(['merge', at('shards'), '--format', 'jsonl']);
    expect(merged.code, merged.stderr).toBe(0);
    expect(merged.lines()).toEqual(whole.lines());

    const changed = rows().map((row) => (row.id === 'third' ? { ...row, prompts: 'other' } : row));
    const another = await manifestOf('changed.jsonl', changed);
    await score('--manifest', another, '--shard', '2/2', '--out', at('shards'), '--force');
    const refused = await runInProcess(['merge', at('shards'), '--format', 'jsonl', '--json']);
    expect(errorOf(refused.stderr)).toMatchObject({
      code: 'E_SHARDS',
      message: expect.stringContaining('listed inputs'),
    });
  });

  it('goes on with --resume, unless a row says something else now', async () => {
    const manifest = await manifestOf('resumed.jsonl', rows());
    await score('--manifest', manifest, '--out', at('resumed'), '--limit', '2');
    const changed = rows().map(({ prompts: _, ...row }) => ({ ...row, prompts: 'plain' }));
    const other = await manifestOf('other.jsonl', changed);
    const refused = await score('--manifest', other, '--out', at('resumed'), '--resume', '--json');
    expect(errorOf(refused.stderr)).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('second'),
    });
    const run = await score('--manifest', manifest, '--out', at('resumed'), '--resume');
    expect(run.stderr).toContain('2 inputs had results already');
    const kept = (await readFile(at('resumed/results.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(kept.map((line) => JSON.parse(line))).toEqual((await score('--manifest', manifest)).lines());
  });

  it.each([
    ['own', { prompts: 'other' }],
    ['all', {}],
  ])('looks at every row before it goes on: %s choices', async (name, own) => {
    const manifest = await manifestOf(
      `judged ${name}.jsonl`,
      ['a', 'b', 'c'].map((each) => ({ uri: at(`pictures/${each}.png`), ...own })),
    );
    const args = ['--manifest', manifest, '--out', at('judged', name), '--roi', '2,2,20,16', '--resume'];
    await score(...args, '--threshold', '0.3', '--limit', '1');
    for (const [other, why] of [
      [['--threshold', '0.4'], 'threshold 0.3'],
      [['--threshold', '0.3', '--sigma', '2'], 'come from toy@'],
      [['--threshold', '0.3', '--regions'], 'no regions'],
    ] as const) {
      const refused = await score(...args, ...other, '--json');
      expect(errorOf(refused.stderr)).toMatchObject({
        code: 'E_USAGE',
        message: expect.stringMatching(`a\\.png: .*${why}`),
      });
    }
    const run = await score(...args, '--threshold', '0.3');
    expect([run.code, run.lines().length]).toEqual([0, 2]);
  });

  it('has banks of its rows, and one without fails alone', async () => {
    const bank = at('good.safetensors');
    const learn = ['normals', 'learn', at('pictures/a.png'), at('pictures/b.png'), '--model', model];
    expect((await runInProcess([...learn, '--out', bank])).code).toBe(0);
    const own = ['c', 'd'].map((name) => ({ uri: at(`pictures/${name}.png`), normals: bank }));
    const manifest = await manifestOf('banks.jsonl', [...own, { uri: at('pictures/e.png') }]);
    const run = await score('--manifest', manifest, '--method', 'normals', '--out', at('banks'));
    expect(run.code, run.stderr).toBe(3);
    const alone = await score(at('pictures/c.png'), at('pictures/d.png'), '--normals', bank);
    expect(run.lines().slice(0, 2)).toEqual(alone.lines());
    expect(run.lines()[2]).toMatchObject({ error: { code: 'E_USAGE' } });
    const again = await score(
      '--manifest',
      manifest,
      '--method',
      'normals',
      '--out',
      at('banks'),
      '--resume',
    );
    expect([again.code, again.lines().length]).toEqual([3, 1]);
  });

  it('cannot lead files out of the output folder', async () => {
    const hostile = [
      { uri: at('pictures/a.png'), id: '../../../outside' },
      { uri: `file://${at('pictures/b.png')}`, id: '/etc/passwd' },
      { uri: 'file:///etc/passwd' },
      { uri: '../../../../../../etc/passwd' },
      { uri: await manifestOf('loop.jsonl', [{ uri: at('loop.jsonl') }]) },
      { uri: at('pictures') },
    ];
    const run = await score(
      '--manifest',
      await manifestOf('hostile.jsonl', hostile),
      '--out',
      at('held'),
      '--maps',
      'npy',
    );
    expect(run.code).toBe(3);
    const lines = run.lines();
    expect(lines.slice(0, 2).map(({ input, score }) => [input, typeof score])).toEqual([
      ['../../../outside', 'number'],
      ['/etc/passwd', 'number'],
    ]);
    for (const { error } of lines.slice(2)) {
      expect((error as { code: string }).code).toMatch(/^E_(IMAGE|INPUT)_/);
      expect(JSON.stringify(error)).not.toContain('root:');
    }
    const made = (await readdir(at('held'), { recursive: true })).sort();
    expect(made).toEqual(['outside.map.npy', 'passwd.map.npy', 'results.files.json', 'results.jsonl']);
  });

  it.each([
    ['no rows', '', 'E_DATA_EMPTY', 'names no pictures'],
    ['a line that is no JSON', '{"uri":"a"}\n{"uri":\n', 'E_DATA_META', 'line 2 is no JSON'],
    ['a field that nobody reads', '{"uri":"a","threshold":0.5}\n', 'E_DATA_META', 'row 1'],
    ['a row without uri', '{"id":"a"}\n', 'E_DATA_META', 'row 1'],
    [
      'a line without end',
      `{"uri":"${'a'.repeat(70 * 2 ** 20)}`,
      'E_DATA_META',
      'line 1 is longer than 64 MiB',
    ],
  ])('with %s is refused', async (_, text, code, message) => {
    await writeFile(at('bad.jsonl'), text);
    const run = await score('--manifest', at('bad.jsonl'), '--json');
    expect(errorOf(run.stderr)).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it.each([
    [
      '--manifest FOLDER',
      () => ['--manifest', at('pictures')],
      'expected a manifest in JSON Lines or Parquet',
    ],
    ['@FOLDER', () => [`@${at('pictures')}`], 'expected a list of paths'],
  ])('%s: says what is expected there', async (_, args, message) => {
    const run = await score(...args(), '--json');
    expect(errorOf(run.stderr)).toMatchObject({
      code: 'E_INPUT_IS_DIRECTORY',
      message: `${at('pictures')}: a folder, ${message}`,
    });
  });

  it('goes alone', async () => {
    const run = await score(at('pictures'), '--manifest', at('work.jsonl'));
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('inputs or a --manifest, not both');
    expect((await score()).stderr).toContain('--manifest FILE');
  });
});
