import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
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
    expect(['a', 'a', 'a', 'b', 'c'].map((name) => again.takeDone(name) !== undefined)).toEqual([
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
    expect([again.takeDone('a') !== undefined, again.takeDone('b') !== undefined]).toEqual([true, false]);
    await again.append(failed('b'));
    await again.complete();
    const lines = (await readFile(join(folder, 'torn', 'results.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).input)).toEqual(['a', 'b']);
  });

  it('are cut at a byte, whatever became of the bytes before it', async () => {
    const first = await open('flipped', false);
    await first.append(failed('aé'));
    await first.interrupt();
    const path = join(folder, 'flipped', 'results.jsonl.partial');
    const whole = await readFile(path);
    // No UTF-8 any more: as a text it is longer.
    whole[whole.indexOf(0xc3)] = 0xff;
    await writeFile(path, Buffer.concat([whole, Buffer.from('{"input":"b","ind')]));
    const again = await open('flipped', true);
    await again.interrupt();
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('end at once where no folder can be made', async () => {
    await expect(ResultsFile.open('/proc/none', { resume: false, overwrite: false })).rejects.toMatchObject({
      code: 'E_IO_WRITE',
    });
  });
});
