import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ResultsFile } from '../../../src/sinks/results-file.js';
import { makeToyFolder } from '../engine/toy-model.js';

let folder: string;
beforeAll(async () => {
  folder = await makeToyFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const failed = (input: string, index = 0) =>
  ({ input, index, error: { code: 'E_IMAGE_DECODE', message: 'x' } }) as const;
const scored = (input: string, index = 0) => ({
  ...{ input, index, score: 0.5, anomalous: null, threshold: null },
  ...{ width: 2, height: 2, model: 'm' },
});
const open = (name: string, resume: boolean) =>
  ResultsFile.open(join(folder, name), { resume, overwrite: false });

describe('results of an interrupted run', () => {
  it('answer for as many inputs of a name as there are results', async () => {
    const first = await open('names', false);
    for (const [index, input] of ['a', 'a', 'b'].entries()) await first.append(scored(input, index));
    await first.interrupt();
    const again = await open('names', true);
    expect(['a', 'a', 'a', 'b', 'c'].map((name, at) => again.earlier.take(name, at) !== undefined)).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
    await again.complete();
  });

  it('lose a last line that was not finished, and nothing else', async () => {
    const first = await open('torn', false);
    await first.append(scored('a'));
    await first.interrupt();
    await appendFile(join(folder, 'torn', 'results.jsonl.partial'), '{"input":"b","ind');
    const again = await open('torn', true);
    expect(['a', 'b'].map((name, at) => again.earlier.take(name, at) !== undefined)).toEqual([true, false]);
    await again.append(failed('b'));
    await again.complete();
    const lines = (await readFile(join(folder, 'torn', 'results.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).input)).toEqual(['a', 'b']);
  });

  it('take the places of failures once their inputs are tried again', async () => {
    const texts = async (ending = '') =>
      (await readFile(join(folder, 'mended', `results.jsonl${ending}`), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ input, index, error }) => `${input} ${index}${error ? ' failed' : ''}`);
    const first = await open('mended', false);
    // Of two inputs of one name the first failed.
    for (const row of [failed('a', 0), scored('a', 1), failed('b', 2), failed('c', 3), scored('d', 4)])
      await first.append(row);
    await first.complete();
    const again = await open('mended', true);
    const left = () => ['a', 'a', 'b', 'c', 'd'].map((name, at) => again.earlier.take(name, at)?.kind.model);
    expect(left()).toEqual([undefined, 'm', undefined, undefined, 'm']);
    await again.append(scored('a', 0));
    await again.append(failed('b', 2));
    expect(again.earlier).toMatchObject({ scored: 2, failed: 1 });
    await again.interrupt();
    expect(await texts('.partial')).toHaveLength(7);
    const last = await open('mended', true);
    expect(last.earlier).toMatchObject({ scored: 3, failed: 2 });
    expect(last.earlier.take('a', 0) && last.earlier.take('a', 1)).toBeDefined();
    expect(last.earlier.take('b', 2)).toBeUndefined();
    await last.append(scored('b', 2));
    await last.append(scored('e', 5));
    await last.complete();
    expect(await texts()).toEqual(['a 0', 'a 1', 'b 2', 'c 3 failed', 'd 4', 'e 5']);
  });

  it('leave no file where none came', async () => {
    await open('none', false).then((file) => file.interrupt());
    expect(await readdir(join(folder, 'none'))).toEqual([]);
  });

  it('are refused and stay as they are where a byte is none of UTF-8: it was no name of ours', async () => {
    const first = await open('flipped', false);
    await first.append(failed('aé'));
    await first.complete();
    const path = join(folder, 'flipped', 'results.jsonl');
    const whole = await readFile(path);
    whole[whole.indexOf(0xc3)] = 0xff;
    const bytes = Buffer.concat([whole, Buffer.from('{"input":"b","ind')]);
    await writeFile(path, bytes);
    await expect(open('flipped', true)).rejects.toMatchObject({
      code: 'E_IO_READ',
      message: expect.stringContaining('line 1 is no result'),
    });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it.each([
    ['no threshold', { model: 'm', score: 1, anomalous: null }],
    ['a threshold that is none', { model: 'm', score: 1, anomalous: true, threshold: '0.5' }],
    ['no model', { score: 1, anomalous: null, threshold: null }],
    ['a map that is none', { model: 'm', score: 1, anomalous: null, threshold: null, map: 3 }],
  ])('are refused where a line has %s', async (name, fields) => {
    await open(name, false).then((file) => file.interrupt());
    const path = join(folder, name, 'results.jsonl.partial');
    await writeFile(path, `${JSON.stringify({ input: 'a', index: 0, ...fields })}\n`);
    await expect(open(name, true)).rejects.toMatchObject({ code: 'E_IO_READ' });
  });

  it('that are whole keep their name where nothing came to them', async () => {
    const first = await open('whole', false);
    await first.append(failed('a'));
    await first.complete();
    await open('whole', true).then((file) => file.interrupt());
    expect(await readdir(join(folder, 'whole'))).toEqual(['results.jsonl']);
    const again = await open('whole', true);
    await again.append(failed('b'));
    await again.interrupt();
    expect(await readdir(join(folder, 'whole'))).toEqual(['results.jsonl.partial']);
  });

  it.runIf(process.platform === 'linux')('end at once where no folder can be made', async () => {
    await expect(ResultsFile.open('/proc/none', { resume: false, overwrite: false })).rejects.toMatchObject({
      code: 'E_IO_WRITE',
    });
  });
});
