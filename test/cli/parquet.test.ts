/** `--format parquet` as the programs that read such tables see it: pyarrow and DuckDB, where they are (.ci/run installs them). */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inScratch, root, run } from './crane-native.js';

const python = join(root, 'build', 'tables', 'bin', 'python');

it.skipIf(!existsSync(python))(
  'pyarrow and DuckDB read the rows that JSON Lines have',
  async () => {
    await inScratch(async (folder) => {
      const cli = (...args: string[]) => run(process.execPath, [join(root, 'dist/cli/main.js'), ...args]);
      const samples = join(root, 'models', 'crane-mini', 'samples');
      const out = join(folder, 'out');
      const args = [
        'score',
        samples,
        '--recursive',
        '--regions',
        '--threshold',
        '0.3',
        '--map-threshold',
        '0.3',
        '--out',
        out,
        '--shard',
        '1/1',
      ];
      await cli(...args);
      const table = join(folder, 'all.parquet');
      const merged = await cli('merge', out, '--out', table);
      expect(merged.code, merged.stderr).toBe(0);
      const script = `
import json, sys, duckdb, pyarrow.parquet as pq
rows = pq.read_table(sys.argv[1]).to_pylist()
lines = [json.loads(line) for line in open(sys.argv[2], encoding='utf8')]
assert len(rows) == len(lines) > 5, (len(rows), len(lines))
for row, line in zip(rows, lines):
    for name in ('input', 'index', 'score', 'anomalous', 'threshold', 'width', 'height', 'regions', 'model'):
        assert row[name] == line[name], (name, row[name], line[name])
    assert row['ms_forward'] == line['ms']['forward'] and row['error_code'] is None
assert any(line['regions'] for line in lines)
count, total = duckdb.sql("select count(*), sum(len(regions)) from '%s' where anomalous" % sys.argv[1]).fetchall()[0]
assert 0 < count < len(lines) and count == sum(line['anomalous'] for line in lines)
assert total == sum(len(line['regions']) for line in lines if line['anomalous'])
print('equal')`;
      const told = execFileSync(python, ['-c', script, table, join(out, 'results.1-of-1.jsonl')], {
        encoding: 'utf8',
      });
      expect(told).toBe('equal\n');
    });
  },
  120_000,
);
