/** Shards and their merging: equal to one run, and each planted fault is found and named. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf } from '../../../src/scoring/shards.js';
import { type ShardRecord, writeShardRecord } from '../../../src/work/shard-record.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';

let folder: string;
let model: string;
let pictures: string;
const at = (...parts: string[]) => join(folder, ...parts);
const score = (...args: string[]) =>
  runInProcess(['score', '--model', model, '--no-timings', ...args], { env: {} });
const merge = (...args: string[]) => runInProcess(['merge', ...args], {});

beforeAll(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(at('toy'))).folder;
  pictures = at('parts ä');
  await mkdir(pictures);
  for (let value = 0; value < 12; value++) await writePicture(join(pictures, `${value}.png`), 20 * value);
  await writeFile(join(pictures, 'bad.png'), 'no picture');
  for (const shard of [1, 2, 3]) await score(pictures, '--out', at('whole'), '--shard', `${shard}/3`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const results = (shard: number, name = 'case') => at(name, `results.${shard}-of-3.jsonl`);
const record = (shard: number, name = 'case') => at(name, `results.${shard}-of-3.shard.json`);

/** A copy of the shards to plant a fault in. */
async function copy(name = 'case'): Promise<string> {
  await rm(at(name), { recursive: true, force: true });
  await cp(at('whole'), at(name), { recursive: true });
  return at(name);
}

async function changeRecord(shard: number, field: string, value: unknown): Promise<void> {
  const read = JSON.parse(await readFile(record(shard), 'utf8')) as Record<string, unknown>;
  const way = field.split('.');
  const last = way.pop()!;
  const inner = way.reduce((each, name) => each[name] as Record<string, unknown>, read);
  inner[last] = value;
  await writeFile(record(shard), JSON.stringify(read));
}

/** Changes rows and writes a record that fits them: what only looking at rows can find. */
async function changeRows(shard: number, change: (rows: string[]) => string[]): Promise<void> {
  const rows = (await readFile(results(shard), 'utf8')).trimEnd().split('\n');
  const text = change(rows);
  await writeFile(results(shard), text.length === 0 ? '' : `${text.join('\n')}\n`);
  const {
    results: _,
    format,
    version,
    ...rest
  } = JSON.parse(await readFile(record(shard), 'utf8')) as ShardRecord;
  await writeShardRecord({ ...rest, results: results(shard) } as Parameters<typeof writeShardRecord>[0]);
}

/** The shard with most rows. */
const fullest = async () => {
  const sizes = await Promise.all(
    [1, 2, 3].map(async (each) => (await readFile(results(each), 'utf8')).length),
  );
  return sizes.indexOf(Math.max(...sizes)) + 1;
};

describe('shards', () => {
  it('are chosen by the name alone, evenly', () => {
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 4000; index++) counts[shardOf(`s3://bucket/${index}.jpg`, 4) - 1]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
    // As anyone else computes it: sha256sum of the name, its first 12 digits by the count.
    expect(shardOf('a.png', 7)).toBe(Number(BigInt('0x7f071235805f') % 7n) + 1);
  });

  it('merge into the bytes of one run', async () => {
    const alone = await score(pictures);
    const merged = await merge(at('whole'));
    expect(merged.code).toBe(0);
    expect(merged.stdout).toBe(alone.stdout);
    expect(merged.stderr).toMatch(/^3 shards, 13 results, 1 of them failed, toy@/);
    const csv = await merge(at('whole'), '--format', 'csv');
    expect(csv.stdout).toBe((await score(pictures, '--format', 'csv')).stdout);
  });

  it('come from folders of several machines, or as single files', async () => {
    for (const shard of [1, 2, 3])
      await score(pictures, '--out', at(`node ${shard}`), '--shard', `${shard}/3`);
    const nodes = [at('node 3'), at('node 1'), results(2, 'node 2')];
    expect((await merge(...nodes)).stdout).toBe((await merge(at('whole'))).stdout);
  });

  it('merge into a file that is whole or not there', async () => {
    const out = at('merged', 'all.jsonl');
    expect((await merge(at('whole'), '--out', out)).code).toBe(0);
    expect(await readFile(out, 'utf8')).toBe((await merge(at('whole'))).stdout);
    expect((await merge(at('whole'), '--out', out)).stderr).toContain('exists already');
    expect((await merge(at('whole'), '--out', at('merged', 'all.xyz'))).stderr).toContain(
      'its ending says no format',
    );
    await copy();
    await rm(record(1));
    await merge(at('case'), '--out', at('merged', 'none.parquet'));
    await expect(readFile(at('merged', 'none.parquet'))).rejects.toThrow('ENOENT');
    expect((await readFile(at('merged', 'all.jsonl'), 'utf8')).length).toBeGreaterThan(0);
  });

  it.each(['s3://bucket', 's3://bucket/', 's3://bucket/of/', 's3:///key'])(
    'go to an object of a bucket, which %s is not',
    async (address) => {
      const run = await merge(at('whole'), '--format', 'csv', '--out', address);
      expect(run.code).toBe(2);
      expect(run.stderr).toContain('expected s3://BUCKET/KEY');
      expect(existsSync('s3:')).toBe(false);
    },
  );

  it('a part by --limit is said, and is no shard', async () => {
    const run = await score(pictures, '--out', at('limited'), '--shard', '1/1', '--limit', '2');
    expect(run.stderr).toContain('merge will not take it');
    expect((await merge(at('limited'))).stderr).toContain('no shard is finished');
  });
});

describe('a planted fault', () => {
  const faults: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a missing shard',
      async () => {
        await rm(record(2));
        await rm(results(2));
      },
      /shard 2 of 3 missing.*--shard 2\/3/s,
    ],
    ['a shard that is not finished', () => rm(record(3)), /shard 3 of 3 missing; unfinished: .*--resume/s],
    ['results that are missing', () => rm(results(1)), /results\.1-of-3\.jsonl: there is no such file/],
    [
      'a truncated file',
      async () => {
        const shard = await fullest();
        const bytes = await readFile(results(shard));
        await writeFile(results(shard), bytes.subarray(0, -20));
      },
      /bytes, expected/,
    ],
    [
      'a changed digit',
      async () => {
        const shard = await fullest();
        const text = await readFile(results(shard), 'utf8');
        await writeFile(
          results(shard),
          text.replace(/"score":0\.(\d)/, (_, digit) => `"score":0.${9 - digit}`),
        );
      },
      /was changed after its run/,
    ],
    [
      'a row twice',
      async () => changeRows(await fullest(), (rows) => [rows[0]!, ...rows]),
      /a second result at/,
    ],
    [
      'a row less',
      async () => changeRows(await fullest(), (rows) => rows.slice(1)),
      /1 of 13 inputs have no result/,
    ],
    [
      'rows of another order',
      async () => changeRows(await fullest(), (rows) => rows.toReversed()),
      /after that at/,
    ],
    [
      'a row of another model',
      async () => changeRows(await fullest(), (rows) => rows.map((row) => row.replace('toy@', 'joy@'))),
      /model joy@.*expected toy@/,
    ],
    [
      'a row that another threshold judged',
      async () =>
        changeRows(await fullest(), (rows) => {
          const at = rows.findLastIndex((row) => row.includes('"threshold":0.5'));
          return rows.with(at, rows[at]!.replace('"threshold":0.5', '"threshold":0.25'));
        }),
      /png was judged by threshold 0\.25, others of toy@.* by threshold 0\.5/,
    ],
    [
      'rows that another threshold judged than the record says',
      async () => {
        for (const shard of [1, 2, 3]) await changeRecord(shard, 'rows.threshold', 0.25);
      },
      /judged by threshold 0\.5, others of toy@.* by threshold 0\.25/,
    ],
    ...(
      [
        ['regions', true, /png has no regions/],
        ['maps', 'npy', /png has no map, its record says npy/],
        ['heatmaps', 'jpg', /png has no heat map/],
      ] as const
    ).map(([what, says, expected]): [string, () => Promise<unknown>, RegExp] => [
      `rows without the ${what} of their record`,
      async () => {
        for (const shard of [1, 2, 3]) await changeRecord(shard, `rows.${what}`, says);
      },
      expected,
    ]),
    ...(
      [
        [0.5, '[{"x":0,"y":0,"width":1,"height":1,"area":1,"peak":0.25,"mean":0.25}]', /peak 0\.25, below/],
        [0.5, 'null', /has no map threshold/],
        [null, '[]', /regions, its record says that there was no map threshold/],
      ] as const
    ).map(([mapThreshold, regions, expected]): [string, () => Promise<unknown>, RegExp] => [
      `regions ${regions} at the map threshold ${mapThreshold}`,
      async () => {
        for (const shard of [1, 2, 3]) await changeRecord(shard, 'rows.mapThreshold', mapThreshold);
        await changeRows(await fullest(), (rows) =>
          rows.map((row) => row.replace('"model"', `"regions":${regions},"model"`)),
        );
      },
      expected,
    ]),
    ...(['map', 'heatmap'] as const).map((what): [string, () => Promise<unknown>, RegExp] => [
      `a row with a ${what} that its record does not name`,
      async () =>
        changeRows(await fullest(), (rows) =>
          rows.map((row) => row.replace('"model"', `"${what}":"a.${what}.npy","model"`)),
        ),
      /says that none was asked for/,
    ]),
    [
      'a row of another shard',
      async () => {
        const shard = await fullest();
        const stranger = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].find((name) => shardOf(name, 3) !== shard)!;
        await changeRows(shard, (rows) =>
          rows.map((row) => row.replace(/"input":"[^"]*"/, `"input":"${stranger}"`)),
        );
      },
      /is none of shard/,
    ],
    [
      'a line that is none',
      async () => changeRows(await fullest(), (rows) => ['{"input":3}', ...rows.slice(1)]),
      /line 1 is no result/,
    ],
    [
      'a row with a value of another kind',
      async () =>
        changeRows(await fullest(), (rows) => rows.map((row) => row.replace(/"width":\d+/, '"width":0.5'))),
      /is no result: .*width/,
    ],
    [
      'a row whose error is none',
      async () =>
        changeRows(await fullest(), (rows) =>
          rows.map((row) => JSON.stringify({ ...JSON.parse(row), error: null })),
        ),
      /is no result: .*error/,
    ],
    [
      'a count of shards beyond all memory',
      async () => {
        for (const shard of [1, 2, 3]) await changeRecord(shard, 'shard.count', Number.MAX_SAFE_INTEGER);
      },
      /shards 4, 5, 6, 7, 8, \.\.\. of 9007199254740991 missing/,
    ],
    [
      'a count of inputs beyond all memory',
      async () => {
        for (const shard of [1, 2, 3]) await changeRecord(shard, 'inputs.count', Number.MAX_SAFE_INTEGER);
      },
      /9007199254740978 of 9007199254740991 inputs have no result, those at 13, 14, 15, 16, 17, \.\.\./,
    ],
    [
      'an index beyond 32 bits, twice',
      async () => {
        for (const shard of [1, 2, 3]) await changeRecord(shard, 'inputs.count', 2 ** 40);
        await changeRows(await fullest(), (rows) => {
          const far = rows[0]!.replace(/"index":\d+/, `"index":${2 ** 32 + 1}`);
          return [far, far];
        });
      },
      /a second result at 4294967297/,
    ],
    ['another model', () => changeRecord(2, 'model', 'other'), /model other, in .* toy@/],
    ['maps of another size', () => changeRecord(2, 'rows.mapSize', 'model'), /setting mapSize .*same flags/s],
    [
      'another setting',
      () => changeRecord(2, 'rows.threshold', 0.25),
      /setting threshold 0.25, in .* 0.5.*same flags/s,
    ],
    [
      'other inputs',
      () => changeRecord(2, 'inputs.sha256', '0'.repeat(64)),
      /listed inputs: sha256.*other inputs/s,
    ],
    ['other kernels', () => changeRecord(3, 'machine.kernels', 'none'), /kernels none.*CRANE_KERNELS/s],
    ['another precision', () => changeRecord(3, 'machine.precision', 'bfloat16'), /precision/],
    ['another version', () => changeRecord(3, 'craneNative', '9.9.9'), /crane-native 9\.9\.9/],
    ['another count', () => changeRecord(3, 'shard.count', 4), /is shard 3 of 4/],
    ['a shard twice', () => changeRecord(3, 'shard.index', 2), /shard 2 of 3 is there twice/],
    ['a record that is none', () => writeFile(record(1), '{}'), /not the record of a shard/],
    [
      'a record that names a file elsewhere',
      () => changeRecord(1, 'results.file', '../../etc/passwd'),
      /not the record of a shard/,
    ],
  ];

  it.each(faults)('%s is found, and nothing is written', async (_, plant, expected) => {
    await copy();
    await plant();
    const run = await merge(at('case'));
    expect(run.stderr).toMatch(expected);
    expect(run.code).toBe(3);
    expect(run.stdout).toBe('');
  });

  it('machines whose last digits differ are merged when that is asked for', async () => {
    await copy();
    await changeRecord(3, 'machine.kernels', 'none');
    expect((await merge(at('case'), '--mixed-machines')).code).toBe(0);
  });
});
