/** Standard output on a full disk: a coded error, and what was done is kept. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { craneNative, run } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

let scratch: string;
let model: string;
let data: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane voll-ä-'));
  model = await makeTinyModel(join(scratch, 'model'));
  data = await makeNoiseSet(join(scratch, 'noise'), 12);
}, 60_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const main = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
/** A command of a shell, with its stdout or stderr where nothing can be written. */
const onFull = (args: string[], where = '> /dev/full') => {
  const words = [process.execPath, main, ...args].map((arg) => `'${arg}'`).join(' ');
  return run('bash', ['-c', `exec ${words} ${where}`]);
};

describe.runIf(process.platform === 'linux')('a full disk', () => {
  it.each([[['methods', 'list']], [['--version']], [['score', '--help']]])('behind %j', async (args) => {
    const { code, stderr } = await onFull(args);
    expect(code).toBe(5);
    expect(stderr).toMatch(
      /^crane-native: standard output: .*ENOSPC.* \[E_IO_WRITE\]\n {2}the disk is full/m,
    );
    expect(stderr).not.toContain('    at ');
  });

  it.each(['jsonl', 'csv', 'parquet', 'table'])(
    'behind score --format %s',
    async (format) => {
      const out = join(scratch, format);
      const args = ['score', data, '--recursive', '--model', model, '--threads', '1', '--no-timings'];
      const { code, stderr } = await onFull([
        ...args,
        '--out',
        out,
        '--batch',
        '1',
        '--format',
        format,
        '--json',
      ]);
      expect(code).toBe(5);
      const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1)!);
      expect(error).toMatchObject({
        code: 'E_IO_WRITE',
        message: expect.stringMatching(/^standard output: /),
      });
      const rest = await craneNative([...args, '--out', out, '--resume', '--format', 'jsonl']);
      expect(rest.code).toBe(0);
      const rows = (await readFile(join(out, 'results.jsonl'), 'utf8')).trimEnd().split('\n');
      expect(new Set(rows.map((row) => JSON.parse(row).index)).size).toBe(12);
      // The first run kept some, and the second did not do them again.
      expect(rest.stdout.split('\n').length - 1).toBeLessThan(12);
    },
    60_000,
  );

  it('behind stderr: the work is done all the same, and the code says that something could not be told', async () => {
    const args = ['score', data, '--recursive', '--model', model, '--threads', '1', '--no-timings'];
    const { code, stdout } = await onFull([...args, '--format', 'jsonl'], '2> /dev/full');
    expect([code, stdout.trimEnd().split('\n').length]).toEqual([5, 12]);
    const refused = await onFull(['methods', 'none'], '2> /dev/full');
    expect([refused.code, refused.stdout]).toEqual([2, '']);
  }, 60_000);
});
