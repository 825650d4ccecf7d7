import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kindOf } from '../../../src/files/kind-of.js';

it('tells files, folders, what links lead to, and nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crane-kind-'));
  try {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(folder, join(folder, 'link'));
    symlinkSync(join(folder, 'gone'), join(folder, 'broken'));
    expect(await kindOf(join(folder, 'file'))).toBe('file');
    expect(await kindOf(folder)).toBe('folder');
    expect(await kindOf(join(folder, 'link'))).toBe('folder');
    expect(await kindOf(join(folder, 'broken'))).toBeUndefined();
    expect(await kindOf(join(folder, 'file', 'below'))).toBeUndefined();
    // a pipe on a path (/dev/stdin, process substitution) is read like a file
    expect(await kindOf('/dev/null')).toBe('file');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
