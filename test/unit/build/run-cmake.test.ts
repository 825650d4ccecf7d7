/** A program whose output is kept. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runLogged } from '../../../src/build/run-cmake.js';
import { codeOf } from '../awaiting.js';
import { freshFolder } from '../libtorch/fake-torch.js';

const node = (code: string): [string, ...string[]] => [process.execPath, '-e', code];

describe('a program that is logged', () => {
  it('has its lines in the log and ends with its own code', async () => {
    const log = join(freshFolder(), 'build.log');
    const lines: string[] = [];
    const code = node("console.log('one'); console.error('two'); process.exitCode = 3");
    expect(await runLogged(code, log, (line) => lines.push(line))).toBe(3);
    expect(lines.sort()).toEqual(['one', 'two']);
    expect(readFileSync(log, 'utf8')).toMatch(/^\n# .*\n(one\ntwo|two\none)\n$/);
  });

  it.runIf(existsSync('/dev/full'))('ends where the log cannot be written', async () => {
    const unending = node("setInterval(() => console.log('more'), 10)");
    expect(await codeOf(runLogged(unending, '/dev/full', () => {}))).toBe('E_IO_WRITE');
  });

  it('that cannot be started leaves no log open', async () => {
    const log = join(freshFolder(), 'build.log');
    await expect(runLogged(['/no such program'], log, () => {})).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
