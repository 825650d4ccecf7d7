/** Lines that are appended: whole or not at all, on a full disk too. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CraneError } from '../../../src/errors.js';
import { appendLine, LineFile, linesOf } from '../../../src/files/line-file.js';
import { fillDisk, handles } from './full-disk.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane lines '));
  path = join(folder, 'lines');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const words = () => readFile(path, 'utf8');
const full = { code: 'ENOSPC' };

describe('a file of lines', () => {
  it('is read line by line, wherever its pieces end', async () => {
    const texts = ['', 'é'.repeat(700_000), 'x'.repeat(2 ** 20 - 1), 'short', '日本'.repeat(400_000)];
    await writeFile(path, `${texts.join('\n')}\nno end`);
    const bytes = await readFile(path);
    const found = [];
    for await (const { text, at, bytes: count, number, isWhole } of linesOf(path)) {
      expect(bytes.subarray(at, at + count - (isWhole ? 1 : 0)).equals(text)).toBe(true);
      found.push([number, isWhole, text.toString()]);
    }
    expect(found).toEqual([...texts.map((text, at) => [at + 1, true, text]), [6, false, 'no end']]);
  });

  it('has lines of a bounded length', async () => {
    await writeFile(path, `short\n${'x'.repeat(3 * 2 ** 20)}\n`);
    const tooLong = {
      bytes: 2 ** 20,
      error: (line: number) => new CraneError('E_IO_READ', `line ${line}`),
    };
    const readAll = async (...given: Parameters<typeof linesOf>) => {
      for await (const line of linesOf(...given)) expect(line.number).toBe(1);
    };
    await expect(readAll(path, tooLong)).rejects.toMatchObject({ message: 'line 2' });
    await expect(readAll(join(folder, 'none'))).rejects.toMatchObject({
      code: 'E_INPUT_NOT_FOUND',
    });
  });

  it('keeps lines apart that are appended at once, and reads each from its place', async () => {
    const file = await LineFile.open(path, () => {});
    const texts = Array.from({ length: 40 }, (_, at) => `${at} ${'ö'.repeat(at * 5000)}`);
    const places = await Promise.all(texts.map((text, at) => file.append(text, at % 2 === 0)));
    for (const [at, place] of places.entries()) expect((await file.read(place)).toString()).toBe(texts[at]);
    await file.close();
    expect(await words()).toBe(texts.map((text) => `${text}\n`).join(''));
  });

  it('has nothing of a line that a full disk did not take whole', async () => {
    const file = await LineFile.open(path, () => {});
    await file.append('first');
    const disk = await fillDisk(folder, 2);
    await expect(file.append('second, which is cut')).rejects.toMatchObject(full);
    expect(await words()).toBe('first\n');
    // Not even the cutting works.
    const cut = vi.spyOn(await handles(folder), 'truncate').mockRejectedValue(new Error('no'));
    await expect(file.append('third, which is cut')).rejects.toMatchObject(full);
    expect(await words()).toBe('first\nthird, whi');
    await expect(file.append('fourth')).rejects.toThrow('no');
    cut.mockRestore();
    disk.empty();
    const place = await file.append('fifth');
    expect((await file.read(place)).toString()).toBe('fifth');
    await file.close();
    expect(await words()).toBe('first\nfifth\n');
  });

  it('is cut behind its last whole line when it is opened', async () => {
    await writeFile(path, 'first\nsec');
    const seen: string[] = [];
    const file = await LineFile.open(path, ({ text }) => void seen.push(text.toString()));
    await file.append('third');
    await file.close();
    expect([seen, await words()]).toEqual([['first'], 'first\nthird\n']);
  });

  it('is left as it is where a line is none of its own, and is no device', async () => {
    await writeFile(path, 'first\nsec');
    const refuse = () => {
      throw new Error('foreign');
    };
    await expect(LineFile.open(path, refuse)).rejects.toThrow('foreign');
    expect(await words()).toBe('first\nsec');
    await expect(LineFile.open('/dev/null', () => {})).rejects.toMatchObject({ code: 'E_IO_WRITE' });
  });
});

describe('a line appended to a file by its name', () => {
  it.each([
    ['', 'line é\n'],
    ['before\n', 'before\nline é\n'],
    ['before\nline \xc3', 'before\nline é\n'],
    ['line é', 'line é\n'],
    ['line é\n', 'line é\nline é\n'],
    // Somebody else's.
    ['before\nother', 'before\nother\nline é\n'],
    ['a line that is much longer', 'a line that is much longer\nline é\n'],
    ['before line é', 'before line é\nline é\n'],
  ])('behind %j', async (before, after) => {
    await writeFile(path, before.endsWith('\xc3') ? Buffer.from(before, 'latin1') : before);
    await appendLine(path, 'line é');
    expect(await words()).toBe(after);
  });

  it('leaves nothing of itself on a full disk', async () => {
    for (const before of ['', 'before\n']) {
      await writeFile(path, before);
      const disk = await fillDisk(folder, 1);
      await expect(appendLine(path, 'a line')).rejects.toMatchObject(full);
      expect(await words()).toBe(before);
      await appendLine(path, 'a line');
      disk.empty();
      expect(await words()).toBe(`${before}a line\n`);
    }
  });

  it('goes through a pipe too', async () => {
    execFileSync('mkfifo', [path]);
    const read = readFile(path, 'utf8');
    await appendLine(path, 'a line');
    expect(await read).toBe('a line\n');
  });
});
