import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HeldLock, takeLock } from '../../dist/files/lock-file.js';
import { craneNative, run } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

let scratch: string;
let model: string;
let data: string;
const at = (...parts: string[]) => join(scratch, ...parts);
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane voll-ä-'));
  model = await makeTinyModel(at('model'));
  data = await makeNoiseSet(at('noise'), 6);
}, 60_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const argsOf = (out: string, more: string[]) => [
  ...['score', data, '--recursive', '--model', model, '--out', at(out), '--threads', '1', '--no-timings'],
  ...more,
];

/** Every file of a run by its name. */
async function filesOf(out: string): Promise<Record<string, string>> {
  const names = await readdir(at(out), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files.sort().map(async (file) => [file.slice(at(out).length), await readFile(file, 'hex')]);
  return Object.fromEntries(await Promise.all(read)) as Record<string, string>;
}

// Kilobytes that one file may have: a result has 0.3, a heat map 1 to 3, a map 13.
it.each([
  ['results.jsonl.partial', 1, []],
  ['.heat.jpg', 1, ['--heatmaps']],
  ['.map.npy', 4, ['--maps', 'npy', '--map-size', 'model']],
])(
  'a disk that is full at %s (%i KB): E_IO_WRITE, nothing half-written, and --resume ends as if it had not been',
  async (name, kilobytes, more) => {
    const whole = `whole ${kilobytes} ${more.length}`;
    const full = `full ${kilobytes} ${more.length}`;
    expect((await craneNative(argsOf(whole, more))).code).toBe(0);
    const words = argsOf(full, [...more, '--json']).map((arg) => `'${arg}'`);
    const main = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
    const command = `ulimit -f ${kilobytes}; exec '${process.execPath}' '${main}' ${words.join(' ')}`;
    const { code, signal, stderr } = await run('bash', ['-c', command]);
    expect({ code, signal }).toEqual({ code: 5, signal: null });
    const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1)!);
    expect(error).toMatchObject({ code: 'E_IO_WRITE', hint: expect.stringContaining('ulimit -f') });
    expect(error.message.split(': ')[0]).toContain(name);
    const left = Object.keys(await filesOf(full));
    expect(left.filter((name) => /\.(tmp|lock)$/.test(name))).toEqual([]);
    expect(left).not.toContain('/results.jsonl');
    expect((await craneNative(argsOf(full, [...more, '--resume']))).code).toBe(0);
    expect(await filesOf(full)).toEqual(await filesOf(whole));
  },
  60_000,
);

it('an --out that is a file is told as such', async () => {
  await writeFile(at('a file'), 'mine');
  const taken = await craneNative(argsOf('a file', ['--json']));
  expect(taken.code).toBe(5);
  expect(JSON.parse(taken.stderr.trimEnd().split('\n').at(-1)!).error).toMatchObject({
    code: 'E_IO_WRITE',
    message: expect.stringContaining('a file is a file, expected a folder'),
    hint: expect.stringContaining('another --out'),
  });
  expect(await readFile(at('a file'), 'utf8')).toBe('mine');
  const below = await craneNative(argsOf(join('a file', 'below'), ['--json']));
  expect(JSON.parse(below.stderr.trimEnd().split('\n').at(-1)!).error).toMatchObject({
    code: 'E_IO_WRITE',
    message: expect.stringMatching(/a file is in the way to .*expected a folder/),
  });
}, 60_000);

it('results that another process writes are refused', async () => {
  const lock = await takeLock(at('two', 'results.jsonl.lock'));
  expect(lock).toHaveProperty('release');
  const refused = await craneNative(argsOf('two', ['--resume', '--json']));
  expect(refused.code).toBe(2);
  expect(JSON.parse(refused.stderr.trimEnd().split('\n').at(-1)!).error).toMatchObject({
    code: 'E_IN_USE',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  expect(await readdir(at('two'))).toEqual(['results.jsonl.lock']);
  await (lock as HeldLock).release();
  expect((await craneNative(argsOf('two', ['--resume']))).code).toBe(0);
  expect(await readdir(at('two'))).toEqual(['results.jsonl']);
}, 60_000);
