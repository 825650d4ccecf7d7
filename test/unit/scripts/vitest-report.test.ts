import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toldBy } from '../../../scripts/vitest-report.mjs';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

let folder: string;
beforeEach(async () => {
  // In the checkout: the files import vitest.
  await mkdir(join(root, 'build'), { recursive: true });
  folder = await mkdtemp(join(root, 'build', 'vitest-report-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @returns what is told of a run of files with these tests */
async function runOf(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), `import { beforeAll, describe, expect, it } from 'vitest';\n${text}`);
  await writeFile(join(folder, 'vitest.config.mjs'), 'export default {};');
  const report = join(folder, 'report.json');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  try {
    const args = [vitest, 'run', '--root', folder, '--reporter=json', `--outputFile.json=${report}`];
    execFileSync(process.execPath, args, { stdio: 'ignore' });
  } catch {
    // Tests that fail are what is tried here.
  }
  return toldBy(JSON.parse(await readFile(report, 'utf8')));
}

it('tests that fail and tests that are passed over are told by name', { timeout: 60_000 }, async () => {
  const told = await runOf({
    'a.test.mjs': "it('holds', () => {}); it('breaks', () => expect(1).toBe(2)); it.skip('waits', () => {});",
  });
  expect(told).toMatchObject({ passed: 1, failed: 1, skipped: ['waits'] });
  expect(told.failures).toEqual([expect.stringMatching(/^breaks\n.*expected 1 to be 2/)]);
});

it('a hook that fails, and a file that cannot be loaded, are failures', { timeout: 60_000 }, async () => {
  const told = await runOf({
    'hook.test.mjs':
      "describe('room', () => { beforeAll(() => { throw new Error('no'); }); it('is never run', () => {}); });",
    'loading.test.mjs': "throw new Error('nothing here');",
  });
  expect(told).toMatchObject({ passed: 0, failed: 2, skipped: ['room is never run'] });
  expect(told.failures.sort()).toEqual([
    expect.stringMatching(/hook\.test\.mjs: a hook failed/),
    expect.stringMatching(/loading\.test\.mjs: .*nothing here/s),
  ]);
});
