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

const failed = (input: string) =>
  ({ input, index: 0, error: { code: 'E_IMAGE_DECODE', message: 'x' } }) as const;
const open = (name: string, resume: boolean) =>
  ResultsFile.open(join(folder, name), { resume, overwrite: false });

describe('results of an interrupted run', () => {
  it('answer for as many inputs of a name as there are results', async () => {
    const first = await open('names', false);
    for (const input of ['a', 'a', 'b']) await first.append(failed(input));
    await first.interrupt();
    const again = await open('names', true);
    expect(['a', 'a', 'a', 'b', 'c'].map((name) => again.earlier.take(name) !== undefined)).toEqual([
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
    await first.append(failed('a'));
    await first.interrupt();
    await appendFile(join(folder, 'torn', 'results.jsonl.partial'), '{"input":"b","ind');
    const again = await open('torn', true);
    expect([again.earlier.take('a') !== undefined, again.earlier.take('b') !== undefined]).toEqual([
      true,
      false,
    ]);
    await again.append(failed('b'));
    await again.complete();
    const lines = (await readFile(join(folder, 'torn', 'results.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).input)).toEqual(['a', 'b']);
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
